"""A sweep's labels become a data set, and another sweep learns from it what it would have learnt from the teacher."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.errors import UserError
from harness.labelling.labels.label_dataset import DatasetRow, LabelDataset, read_dataset
from harness.labelling.labels.label_stage import Labels
from harness.leaderboard.load_results import load_results
from harness.ledger.ledger import Ledger
from harness.pipeline.graph import closure
from harness.pipeline.labels.label_publishing import LabelPublication, publish_labels, render_publication
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.plan import Plan
from harness.pipeline.publish.verification import verify_folders
from harness.pipeline.workspace import Workspace
from harness.published.label_sets.label_set_folder import LabelSetPlace, read_label_card
from harness.published.result_folder import CARD, run_folders
from harness.stage import Stage
from harness.training.train_stages import TrainRetriever
from harness.training_lists.list_stages import RankedLists
from harness.training_lists.training_list import read_lists
from tests.leaderboard.runs import make_card, make_run, put
from tests.teachers.tiny import make_model

pytestmark = pytest.mark.models

SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 5, training_queries: {{mix: {{train: 0.5, titles: 0.3, sentences: 0.2}}}}}}
teachers: {teachers}
methods: [{{method: direct, epochs: 1, retriever_loss: kl, teachers: [{name}]}}]
budgets: [5, 10]
resamples: 2
max_length: 32
numerics: cpu-fp32
evaluate: {{metrics: [nDCG@10], trace: false}}
"""
TINY = "{tiny: {kind: likelihood, model: MODEL, max_passage_tokens: 20}, shuffled: {kind: shuffled}}"
FIRST_DRAW = ("resamples=1", "budgets=[5]", "methods=[{method: direct, epochs: 1, teachers: [tiny]}]")


def plan(home: Path, *overrides: str, file: str = "sweep.yaml") -> Plan:
    return Workspace(home / "workspace").plan(home / file, overrides)


def execute(made: Plan, *kinds: type[Stage]) -> list[Stage]:
    """Make the stages of some kinds that a plan holds, and nothing but what they rest on."""
    wanted = [stage for stage in made.stages.values() if isinstance(stage, kinds)]
    workspace = made.workspace
    with closing(Ledger(workspace.ledger_file)) as ledger:
        outcome = LocalExecutor(workspace, workspace.store, ledger, NullObserver()).execute(wanted)
    assert not outcome.failed
    return wanted


def place(results: Path) -> LabelSetPlace:
    return LabelSetPlace.of(results, "semanlink-arxiv", "tiny")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the labels of a sweep, what is trained on them, and the published set."""
    folder = tmp_path_factory.mktemp("publishing")
    make_model(folder / "model")
    (folder / "sweep.yaml").write_text(SWEEP.format(teachers=TINY.replace("MODEL", str(folder / "model")), name="tiny"))
    execute(plan(folder), TrainRetriever)
    publish_labels(plan(folder), LabelPublication(folder / "results", licence="CC0", texts_licence="MIT"))
    return folder


@pytest.fixture
def results(home: Path, tmp_path: Path) -> Path:
    """A copy of what is published."""
    return Path(shutil.copytree(home / "results", tmp_path / "results"))


def changed(results: Path, **changes: Any) -> None:
    """Let a label that is published be another one."""
    found = read_dataset(place(results).file)
    first = placed_row(results)
    others = (row for row in found.rows if row.query != first.query)
    place(results).file.write_bytes(LabelDataset(found.header, (replace_row(first, changes), *others)).packed())


def placed_row(results: Path) -> DatasetRow:
    """The first label that orders several documents."""
    return next(row for row in read_dataset(place(results).file).rows if len(row.order) > 1)


def replace_row(row: DatasetRow, changes: dict[str, Any]) -> DatasetRow:
    return DatasetRow.model_validate(row.model_dump() | changes)


def test_one_set_holds_the_labels_of_all_draws_by_ids_alone(home: Path) -> None:
    found, store = read_dataset(place(home / "results").file), plan(home).workspace.store
    made = [stage for stage in plan(home).stages.values() if isinstance(stage, Labels) and stage.teacher.box == "white"]
    drawn = {line["query"]: line for stage in made for line in _rankings(store.read(stage))}
    assert {row.query for row in found.rows} == drawn.keys() and 10 < len(drawn) <= 20
    assert {row.source for row in found.rows} == {"train", "titles", "sentences"}
    for row in found.rows:
        assert list(row.ranking().ranked) == drawn[row.query]["ordered"]
        assert list(row.ranking().scores or ()) == drawn[row.query].get("scores", [])


def _rankings(folder: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / "rankings.jsonl.gz", "rt") as stream:
        yield from map(json.loads, stream)


def test_the_card_says_who_labelled_how_how_well_and_at_what_cost(home: Path) -> None:
    card, found = read_label_card(place(home / "results")), read_dataset(place(home / "results").file)
    assert (card.lists, card.licence, card.texts.licence) == (len(found.rows), "CC0", "MIT")
    assert card.verdicts.ok == sum(row.verdict == "ok" for row in found.rows) > 10
    assert (card.teacher.name, card.teacher.kind, card.teacher.model, card.depth) == ("tiny", "likelihood", "model", 5)
    assert str(home) not in place(home / "results").card.read_text()
    assert str(home) not in found.header.model_dump_json()
    assert len(str(card.details["weights"])) == 64 and "{passage}" in card.details["prompt"]["text"]
    assert card.candidates["engines"] == ["bm25s"] and card.numerics is not None
    assert card.numerics.classes == ("cpu-fp32",)
    assert sum(one.lists for one in card.sources.values()) == card.lists
    assert card.sources["train"].judged > 0 and card.sources["titles"].teacher_ndcg is not None
    assert [(draw.resample, draw.queries) for draw in card.draws] == [(0, 10), (0, 5), (1, 10), (1, 5)]
    assert (
        card.costs.calls == pytest.approx(sum(draw.calls for draw in card.draws) / 30, abs=1e-6)
        and card.costs.calls > 4
    )


def test_another_sweep_learns_the_same_from_the_file_without_a_call(home: Path, tmp_path: Path) -> None:
    teachers = f"{{again: {{kind: recorded, file: {place(home / 'results').file}}}}}"
    (tmp_path / "sweep.yaml").write_text(SWEEP.format(teachers=teachers, name="again"))
    made = plan(tmp_path)
    execute(made, TrainRetriever)
    taught = learnt(home, "tiny")
    assert learnt(tmp_path, "again") == taught and taught.keys() == {(5, 0), (10, 0), (5, 1), (10, 1)}
    with closing(Ledger(made.workspace.ledger_file)) as ledger:
        assert len(ledger) == 0
    (teacher,) = {cell.inputs.teacher for cell in made.cells}
    assert teacher is not None and teacher.provenance()["imported_from"][0]["licence"] == "CC0"


def learnt(home: Path, teacher: str) -> dict[Any, Any]:
    """Training lists and trained weights of every cell of a teacher, by budget and resample."""
    made, found = plan(home), {}
    store = made.workspace.store
    for cell in made.cells:
        if cell.cell.teacher == teacher:
            stages = closure([cell.run]).values()
            (trained,) = (one for one in stages if isinstance(one, TrainRetriever))
            (lists,) = (one for one in stages if isinstance(one, RankedLists))
            files = store.manifest(trained)["files"]
            weights = {name: one["sha256"] for name, one in files.items() if name.endswith(".safetensors")}
            found[cell.cell.budget, cell.cell.resample] = (read_lists(store.read(lists)), weights)
            assert weights and all(one.scores for one in read_lists(store.read(lists)))
    return found


def test_publishing_again_changes_no_byte_and_further_draws_are_added(home: Path, tmp_path: Path) -> None:
    wanted = LabelPublication(tmp_path / "results", licence="CC0", texts_licence="MIT")
    (first,) = publish_labels(plan(home, *FIRST_DRAW), wanted)["sets"]
    (whole,) = publish_labels(plan(home), wanted)["sets"]
    assert (first["lists"], first["added"], first["written"]) == (5, 5, True)
    assert whole["added"] == whole["lists"] - 5 > 0
    (again,) = publish_labels(plan(home), LabelPublication(tmp_path / "results"))["sets"]
    assert (again["written"], again["added"], again["licence"]) == (False, 0, "CC0")
    assert "as it was" in render_publication({"sets": [again], "unfinished": []})
    (fewer,) = publish_labels(plan(home, *FIRST_DRAW), wanted)["sets"]
    assert (fewer["written"], fewer["lists"]) == (False, whole["lists"])
    for file in (place(home / "results").file, place(home / "results").card):
        assert (tmp_path / "results" / "labels" / "semanlink-arxiv" / file.name).read_bytes() == file.read_bytes()


def test_sets_of_labels_are_no_runs_and_nothing_is_told_of_them(results: Path) -> None:
    run = put(results, make_card("zero-shot-1"), make_run(0.5))
    before = load_results(results)
    assert list(run_folders(results)) == [run]
    assert before.skipped == () and [one.folder for one in before.runs] == [run]
    # A collection may be called so.
    named = put(results, make_card("zero-shot-2", collection="labels"), make_run(0.5))
    assert named.parent == results / "labels" and set(run_folders(results)) == {run, named}
    assert load_results(results).skipped == ()


def test_verify_computes_sets_of_labels_again(home: Path, results: Path) -> None:
    folder = place(results).folder

    def problems() -> list[str]:
        (row,) = verify_folders([folder], None, home / "workspace", record="somebody")["results"]
        return list(row["problems"])

    assert problems() == [] and not (results / "verified.json").exists()
    changed(results, order=[1], tail=[])
    assert {one.split(":")[1].strip() for one in problems()} == {"hash", "sources"}
    place(results).file.unlink()
    assert len(problems()) == 1 and "missing" in problems()[0]
    place(results).card.unlink()
    assert problems() == ["no set of labels is here"]


@pytest.mark.parametrize(
    ("overrides", "changes", "key"),
    [
        (("teachers.tiny.max_passage_tokens=10",), {}, "identity"),
        (("candidates.depth=4",), {}, "depth"),
        ((), {"order": [2, 1]}, "query"),
        ((), {"mark": "0" * 8}, "query"),
    ],
)
def test_what_contradicts_the_published_set_is_refused_and_nothing_is_written(
    home: Path, results: Path, overrides: tuple[str, ...], changes: dict[str, Any], key: str
) -> None:
    made = plan(home, *overrides, *FIRST_DRAW)
    if overrides:
        execute(made, Labels)
    else:
        only = LabelPublication(results.parent / "few")
        publish_labels(made, only)
        shutil.copyfile(place(only.results).file, place(results).file)
        first = placed_row(results)
        size = len(first.given)
        order = [*range(size, 0, -1)] if first.order[0] != size else [*range(1, size + 1)]
        changed(results, **({"order": order, "tail": []} if "order" in changes else changes))
    before = place(results).file.read_bytes(), place(results).card.read_bytes()
    with pytest.raises(UserError) as caught:
        publish_labels(made, LabelPublication(results))
    assert (caught.value.file, caught.value.key) == (place(results).file, key) and caught.value.remedy
    assert (place(results).file.read_bytes(), place(results).card.read_bytes()) == before


@pytest.mark.parametrize(
    ("overrides", "wanted", "said"),
    [
        ((), {"teachers": ("tinny",)}, "nothing of this sweep is labelled by 'tinny'"),
        ((), {"collections": ("scifact",)}, "no teacher of this sweep labels 'scifact'"),
        (("methods=[{method: direct, teachers: [shuffled]}]",), {}, "costs anything"),
        (("candidates.depth=3",), {}, "no label of these teachers is finished"),
    ],
)
def test_wrong_names_and_unfinished_labels_are_refused(
    home: Path, tmp_path: Path, overrides: tuple[str, ...], wanted: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        publish_labels(plan(home, *overrides), LabelPublication(tmp_path / "results", **wanted))
    assert caught.value.remedy and caught.value.key and not (tmp_path / "results").exists()


def test_teachers_that_cost_nothing_are_published_by_name_only(home: Path, tmp_path: Path) -> None:
    both = plan(home, "methods=[{method: direct, epochs: 1, teachers: [shuffled, tiny]}]")
    report = publish_labels(both, LabelPublication(tmp_path / "results"))
    assert [row["teacher"] for row in report["sets"]] == ["tiny"] and report["unfinished"] == []
    named = publish_labels(both, LabelPublication(tmp_path / "results", ("shuffled", "tiny")))
    waiting = {"collection": "semanlink-arxiv", "teacher": "shuffled", "waiting": 20, "otherwise": 0}
    assert named["unfinished"] == [waiting]
    assert "shuffled: nothing is labelled yet of 20 lists" in render_publication(named)


def test_the_command_says_how_to_train_on_what_it_wrote(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*more: str) -> int:
        where = ["--workspace", str(home / "workspace"), "--results", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["harness", "labels", "publish", str(home / "sweep.yaml"), *where, *more])
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code or 0)

    assert call("--teacher", "tiny") == 0
    said = capsys.readouterr().err
    assert f"{{kind: recorded, file: {tmp_path / 'out' / 'labels' / 'semanlink-arxiv' / 'tiny.jsonl.gz'}}}" in said
    assert "not stated" in said
    assert call("--json", "--licence", "CC0") == 0
    (row,) = json.loads(capsys.readouterr().out)["sets"]
    assert (row["teacher"], row["licence"], row["waiting"], row["otherwise"]) == ("tiny", "CC0", 0, 0)
    assert call("--teacher", "tinny") == 2
    assert not (tmp_path / "out" / "labels" / "semanlink-arxiv" / CARD).exists()
