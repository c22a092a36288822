"""A sweep with a reader: rows, references, board, plan, cards; and the same sweep without one, whose keys must not
move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config.load import load_sweep
from harness.config.schema import sweep_schema
from harness.errors import UserError, UserErrors
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.evaluation.metrics.per_query_file import read_scores
from harness.leaderboard.board import load_board
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.publish.verification import verify_folders
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.published_answers import packed_answers, read_answers
from harness.published.result_folder import ANSWERS, read_card
from harness.published.verify import verify
from harness.qa.answer_stages import SUMMARY, Answered, Read
from tests.baselines.small import write_collection
from tests.qa.server import ReadingServer

METRICS = ["TokenF1", "nDCG@10", "AnswerHit@5"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_collection(tmp_path / "data")
    return tmp_path


def write(home: Path, **evaluate: Any) -> Path:
    """A sweep of BM25 at two settings; `evaluate` is its section."""
    content = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": "bundled:bert-tiny", "ranker": "bundled:bert-tiny"},
        "candidates": {"engine": "bm25s", "depth": 4, "training_queries": ["train"]},
        "methods": ["bm25", {"method": "bm25", "label": "flat", "b": 0.0}],
        "evaluate": {"metrics": ["nDCG@10"], "baseline": "bm25", **evaluate},
    }
    (home / "sweep.yaml").write_text(json.dumps(content))
    return home / "sweep.yaml"


def swept(home: Path) -> SweepResult:
    return Workspace(home / "workspace").plan(home / "sweep.yaml").run(home / "results", observer=NullObserver())


@pytest.mark.models
def test_a_sweep_with_a_reader(home: Path, server: ReadingServer) -> None:
    write(home, metrics=METRICS, answers={"reader": server.teacher(), "passages": 2})
    before = Workspace(home / "workspace").plan(home / "sweep.yaml").report()
    assert before["llm"]["calls"] == 4 * 11 and [row["name"] for row in before["llm"]["teachers"]] == [
        "evaluate.answers.reader"
    ]
    outcome = swept(home)
    assert outcome.summary["cells"] == {"total": 4, "done": 4, "failed": 0, "cached": 0}, outcome.failures
    asked = len(server.bodies)
    assert outcome.summary["llm"]["calls"] == asked <= 4 * 11

    [table] = load_board(home / "results").tables
    rows = {row.method: row for row in table.rows}
    assert set(rows) == {"bm25", "flat", "closed-book", "gold-passage"} and table.metric == "TokenF1"
    assert (
        rows["gold-passage"].metrics["TokenF1"].mean
        == rows["gold-passage"].metrics["AnswerHit@5"].mean
        == pytest.approx(11 / 12)
    )
    assert rows["gold-passage"].metrics["nDCG@10"].mean == 1 and rows["gold-passage"].rank is None
    assert set(rows["closed-book"].metrics) == {"TokenF1"} and rows["closed-book"].metrics["TokenF1"].mean == 0
    assert rows["closed-book"].against is not None and rows["closed-book"].against.difference < 0
    assert all(row.missing_queries == 0 for row in rows.values())

    again = swept(home)
    assert (len(server.bodies), again.summary["stages"]["run"], again.summary["llm"]["calls"]) == (asked, 0, 0)
    assert Workspace(home / "workspace").plan(home / "sweep.yaml").report()["llm"]["calls"] == 0
    assert Workspace(home / "workspace").plan(home / "sweep.yaml").status()["stages"] == {
        "done": outcome.summary["stages"]["run"]
    }
    _cards(outcome, server)
    _cheaper(home)


def _cards(outcome: SweepResult, server: ReadingServer) -> None:
    cards = {card.method.label or card.method.name: card for card in map(read_card, outcome.published)}
    assert (
        cards["bm25"].setup["reader"]["model"] == "openai/gpt-4.1-mini"
        and cards["bm25"].setup["reader"]["passages"] == 2
    )
    assert cards["bm25"].research_goal.evaluation.reported_measures == tuple(METRICS)
    assert cards["gold-passage"].teacher is not None and cards["gold-passage"].teacher.teacher_type == "oracle"
    assert cards["bm25"].costs.calls == 0, "answers are a cost of judging, not of making"
    assert server.url not in "".join((folder / "card.yaml").read_text() for folder in outcome.published)


def _cheaper(home: Path) -> None:
    """Values against the artefacts, and verification of what was published."""
    file, store = home / "sweep.yaml", Workspace(home / "workspace").store
    for cell in Workspace(home / "workspace").plan(file).cells:
        assert isinstance(cell.evaluate, Answered) and isinstance(cell.evaluate.read, Read)
        summary = json.loads((store.read(cell.evaluate.read) / SUMMARY).read_text())
        assert summary["questions"] == 11 and summary["failed"] == {} and summary["alone"]["calls"] == 11
        assert list(read_scores(store.read(cell.evaluate) / "metrics.parquet")) == list(cell.evaluate.metrics)
    qrels = cell.inputs.collection.judgments("test").qrels
    folders = [folder for folder in (home / "results").glob("*/*") if folder.is_dir()]
    assert len(folders) == 4 and [verify(folder, qrels) for folder in folders] == [[], [], [], []]
    _answers(home, folders)


def _answers(home: Path, folders: list[Path]) -> None:
    """What was answered lies beside each run, and metrics of answers are computed from it again."""
    assert all((folder / ANSWERS).is_file() for folder in folders)
    found = verify_folders(folders, None, home / "workspace")["results"]
    assert [(row["problems"], row["unchecked"]) for row in found] == [([], [])] * 4
    folder = next(one for one in folders if one.name.startswith("gold-passage"))
    answers = read_answers(folder)
    assert answers is not None and len(answers) == 11
    (folder / ANSWERS).write_bytes(packed_answers(dict.fromkeys(answers, "something else")))
    [row] = verify_folders([folder], None, home / "workspace")["results"]
    assert [problem.split(" differs")[0] for problem in row["problems"]] == [
        f"hash: {ANSWERS} is not the file that the card describes",
        "value: TokenF1",
        "mean: TokenF1 is 0.916667 on the card, 0.000000 when computed again",
    ]
    (folder / ANSWERS).unlink()
    [row] = verify_folders([folder], None, home / "workspace")["results"]
    assert row["unchecked"] == ["TokenF1"] and len(row["problems"]) == 1


@pytest.mark.models
def test_without_answers_keys_stay_and_hits_alone_ask_nobody(home: Path) -> None:
    write(home)
    plain = Workspace(home / "workspace").plan(home / "sweep.yaml").cells
    assert all(isinstance(cell.evaluate, Evaluate) for cell in plain)
    write(home, answers={})
    cells = Workspace(home / "workspace").plan(home / "sweep.yaml").cells
    assert [cell.evaluate.metrics for cell in cells] == [("nDCG@10", "AnswerHit@5", "AnswerHit@20")] * 2
    assert [
        cell.evaluate.ranking.key for cell in cells if isinstance(cell.evaluate, Answered) and cell.evaluate.ranking
    ] == [cell.evaluate.key for cell in plain]
    outcome = swept(home)
    assert outcome.summary["cells"]["done"] == 2 and outcome.summary["llm"]["calls"] == 0
    assert read_card(outcome.published[0]).outcome.metrics["AnswerHit@5"] > 0  # type: ignore[union-attr]


@pytest.mark.models
def test_a_reader_that_cannot_read_is_refused_where_it_stands(home: Path) -> None:
    file = write(home, answers={"reader": {"kind": "oracle"}})
    with pytest.raises(UserError, match="does not answer in words") as refused:
        Workspace(home / "workspace").plan(file)
    assert (refused.value.key, refused.value.file, refused.value.line) == ("evaluate.answers.reader", str(file), 1)


@pytest.mark.parametrize(
    ("evaluate", "key", "said"),
    [
        ({"metrics": ["EM"]}, "evaluate.metrics", "needs a reader"),
        ({"metrics": ["EM"], "answers": {}}, "evaluate.metrics", "needs a reader"),
        ({"metrics": ["AnswerHit@5"]}, "evaluate.metrics", "needs a reader"),
        ({"answers": {"reader": "gpt"}}, "evaluate.answers.reader", "none of the teachers"),
        ({"answers": {"reader": {"kind": "litelm", "model": "m"}}}, "evaluate.answers.reader.kind", "litellm"),
        ({"answers": {"pasages": 3}}, "evaluate.answers.pasages", "passages"),
        ({"answers": {"passages": 0}}, "evaluate.answers.passages", "must be greater than 0"),
    ],
)
def test_a_wrong_section_is_told_with_its_place(home: Path, evaluate: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(UserErrors) as refused:
        load_sweep(write(home, **evaluate))
    [error] = refused.value.errors
    assert error.key == key and said in f"{error.message} {error.remedy}"


def test_trials_are_not_chosen_by_answers(home: Path) -> None:
    file = write(home, metrics=["EM", "nDCG@10"], answers={"reader": {"kind": "transformers"}})
    tuned = ["methods=[supervised]", "budgets=[4]", "evaluate.baseline=null"]
    sweep = load_sweep(file, [*tuned, "tune={trials: {learning_rate: [0.1, 0.2]}}"])
    assert sweep.tune is not None and sweep.tune.metric == "nDCG@10"
    with pytest.raises(UserErrors, match="judged documents"):
        load_sweep(file, [*tuned, "tune={trials: {learning_rate: [0.1, 0.2]}, metric: EM}"])


def test_the_schema_knows_the_section(home: Path) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator(sweep_schema())

    def faults(**evaluate: Any) -> list[Any]:
        return list(validator.iter_errors(json.loads(write(home, **evaluate).read_text())))

    assert (
        faults(answers={"reader": {"kind": "transformers"}, "passages": 3}) == faults(answers={"reader": "gpt"}) == []
    )
    assert faults(answers={"reader": {"kind": "nobody"}}) and faults(answers={"passages": "many"})
