"""A published set of labels gives a workspace the calls that it stands for: the sweep then asks nobody, and learns the
same."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import UserError
from harness.labelling.labels.label_dataset import LabelDataset, read_dataset
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.ledger.ledger import Ledger
from harness.pipeline.labels.label_publishing import LabelPublication, publish_labels
from harness.pipeline.labels.label_set_import import import_label_set
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.plan import Plan
from harness.pipeline.workspace import Workspace
from tests.teachers.tiny import make_model

pytestmark = pytest.mark.models

SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 5, training_queries: {{mix: {{train: 0.5, sentences: 0.5}}}}}}
teachers:
  tiny: {{kind: likelihood, model: {model}, max_passage_tokens: 20}}
  shuffled: {{kind: shuffled}}
methods: [{{method: direct, epochs: 1, teachers: [tiny, shuffled]}}]
budgets: [4, 8]
resamples: 2
numerics: cpu-fp32
evaluate: {{metrics: [nDCG@10], trace: false}}
"""


def planned(home: Path, workspace: Path, *overrides: str) -> Plan:
    return Workspace(workspace).plan(home / "sweep.yaml", overrides)


def labelled(made: Plan) -> dict[str, bytes]:
    """The labels of every stage of the sweep, made where they are not there; by key."""
    wanted = [stage for stage in made.stages.values() if isinstance(stage, Labels)]
    with closing(Ledger(made.workspace.ledger_file)) as ledger:
        outcome = LocalExecutor(made.workspace, made.workspace.store, ledger, NullObserver()).execute(wanted)
    assert not outcome.failed
    return {stage.key: (made.workspace.store.read(stage) / RANKINGS).read_bytes() for stage in wanted}


def calls_in(made: Plan) -> int:
    with closing(Ledger(made.workspace.ledger_file)) as ledger:
        return len(ledger)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the labels of a sweep, and the sets that are published of them."""
    folder = tmp_path_factory.mktemp("importing")
    make_model(folder / "model")
    (folder / "sweep.yaml").write_text(SWEEP.format(model=folder / "model"))
    made = planned(folder, folder / "workspace")
    labelled(made)
    publish_labels(made, LabelPublication(folder / "results", ("tiny", "shuffled"), licence="CC0"))
    return folder


@pytest.fixture
def published(home: Path, tmp_path: Path) -> Path:
    """A copy of the published set of the teacher that costs something."""
    return Path(shutil.copy(home / "results" / "labels" / "semanlink-arxiv" / "tiny.jsonl.gz", tmp_path))


def test_after_an_import_the_same_sweep_has_the_same_labels_without_a_call(
    home: Path, published: Path, tmp_path: Path
) -> None:
    before = planned(home, home / "workspace")
    made = planned(home, tmp_path / "workspace")
    (row,) = import_label_set(published, made)["sets"]
    assert (row["collection"], row["teacher"], row["missing"]) == ("semanlink-arxiv", "tiny", 0)
    assert row["calls"]["added"] == calls_in(made) == calls_in(before) > 0
    assert labelled(made) == labelled(before) and calls_in(made) == row["calls"]["added"]
    again = import_label_set(published, made)["sets"][0]["calls"]
    assert (again["added"], again["same"], again["conflicts"]) == (0, row["calls"]["added"], 0)


def test_lists_of_another_text_or_other_candidates_are_asked_for_and_counted(
    home: Path, published: Path, tmp_path: Path
) -> None:
    found = read_dataset(published)
    whole = [row for row in found.rows if len(row.given) == 5]
    other_text = whole[0].model_copy(update={"mark": "0" * 8})
    other_candidates = whole[1].model_copy(update={"given": tuple(reversed(whole[1].given))})
    failed = whole[2].model_copy(update={"order": (), "scores": (), "verdict": "failed"})
    replaced = {row.query: row for row in (other_text, other_candidates, failed)}
    rows = tuple(replaced.get(row.query, row) for row in found.rows)
    published.write_bytes(LabelDataset(found.header, rows).packed())
    (told,) = import_label_set(published, planned(home, tmp_path / "workspace"))["sets"]
    assert (told["lists"], told["missing"]) == (sum(bool(row.given) for row in rows) - 3, 3)


def test_what_is_in_the_ledger_stays_and_what_differs_is_told(home: Path, published: Path, tmp_path: Path) -> None:
    found = read_dataset(published)
    rows = tuple(row.model_copy(update={"scores": tuple(one - 1 for one in row.scores)}) for row in found.rows)
    published.write_bytes(LabelDataset(found.header, rows).packed())
    workspace = Path(shutil.copytree(home / "workspace", tmp_path / "workspace"))
    calls = import_label_set(published, planned(home, workspace))["sets"][0]["calls"]
    assert calls["added"] == calls["same"] == 0 and calls["conflicts"] == calls_in(planned(home, home / "workspace"))


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["teachers.tiny.max_passage_tokens=10"], "identity"),
        (["candidates.depth=4"], "depth"),
        (["collections=[semanlink]"], "collection"),
    ],
)
def test_a_set_of_another_teacher_or_of_other_lists_is_refused(
    overrides: list[str], key: str, home: Path, published: Path, tmp_path: Path
) -> None:
    made = planned(home, tmp_path / "workspace", *overrides)
    with pytest.raises(UserError) as error:
        import_label_set(published, made)
    assert error.value.key == key and calls_in(made) == 0


def test_labels_that_do_not_say_what_calls_brought_are_refused(home: Path, tmp_path: Path) -> None:
    orders = home / "results" / "labels" / "semanlink-arxiv" / "shuffled.jsonl.gz"
    with pytest.raises(UserError, match="do not say what its calls brought") as error:
        import_label_set(orders, planned(home, tmp_path / "workspace"))
    assert "kind: recorded" in str(error.value.remedy)


def test_the_command_says_what_it_took_over(
    home: Path,
    published: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def call(*more: str) -> int:
        where = ["--sweep", str(home / "sweep.yaml"), "--workspace", str(tmp_path / "workspace")]
        monkeypatch.setattr(sys, "argv", ["harness", "labels", "import", str(published), *where, *more])
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code or 0)

    assert call() == 0
    assert "calls added, 0 were here already" in capsys.readouterr().err
    assert call("--json") == 0
    assert json.loads(capsys.readouterr().out)["sets"][0]["calls"]["added"] == 0
    assert call("--as", "trec") == 2
    assert "--sweep" in capsys.readouterr().err
