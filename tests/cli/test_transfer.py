"""Labels made in one workspace do the work in another, by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.labelling.labels.label_stage import Labels
from harness.ledger.calls import Call, call_key
from harness.ledger.ledger import Ledger
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.workspace import Workspace
from tests.cli.test_cli import call

SWEEP = """
collections: [semanlink-arxiv]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 5, training_queries: [train, titles]}
teachers:
  shuffled: {kind: shuffled}
methods:
  - {method: direct, epochs: 1}
budgets: [20, 40]
evaluate: {metrics: [nDCG@10]}
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with --json and returns what it printed."""

    def run(*arguments: str) -> Any:
        capsys.readouterr()
        assert call(monkeypatch, *arguments, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return run


@pytest.mark.models
def test_labels_move_and_their_sweep_asks_nobody(tmp_path: Path, told: Any) -> None:
    sweep, file = tmp_path / "sweep.yaml", str(tmp_path / "labels.jsonl.gz")
    sweep.write_text(SWEEP)
    a, b = (["--workspace", str(tmp_path / name)] for name in ("a", "b"))
    assert label(sweep, tmp_path / "a") == 2
    asked = Call(call_key("gpt", "q"), "gpt", "{}", "[1]", usd=0.5, created=1.0)
    Ledger(tmp_path / "a" / "ledger.sqlite").put(asked)

    exported = told("labels", "export", file, *a)
    assert (exported["calls"], exported["labels"], exported["file"]) == (1, 2, file)
    before = told("plan", str(sweep), *b)["stages"]["by_kind"]["labels"]
    assert before == {"distinct": 2, "to_run": 2}

    imported = told("labels", "import", file, *b)
    assert imported["calls"]["added"] == 1 and imported["labels"]["added"] == 2
    assert list(Ledger(tmp_path / "b" / "ledger.sqlite").calls()) == [asked]
    plan = told("plan", str(sweep), *b)
    assert plan["stages"]["by_kind"]["labels"] == {"distinct": 2, "to_run": 0} and plan["llm"]["calls"] == 0

    assert label(sweep, tmp_path / "b") == 0
    assert _labels(tmp_path / "a") == _labels(tmp_path / "b")


def label(sweep: Path, folder: Path) -> int:
    """Run a sweep as far as its labels; how many label stages ran."""
    workspace = Workspace(folder)
    store = workspace.store
    finals = [stage for stage in workspace.plan(sweep).stages.values() if isinstance(stage, Labels)]
    outcome = LocalExecutor(workspace, store, workspace.ledger, NullObserver()).execute(finals)
    assert not outcome.failed and all(store.has(stage) for stage in finals)
    return len({stage.key for stage in finals} & set(outcome.ran))


def _labels(workspace: Path) -> dict[str, bytes]:
    folder = workspace / "store" / "labels"
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_people_are_told_what_came_and_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "labels.jsonl.gz")
    asked = Call(call_key("gpt", "q"), "gpt", "{}", "[1]")
    Ledger(tmp_path / "a" / "ledger.sqlite").put(asked)
    Ledger(tmp_path / "b" / "ledger.sqlite").put(asked._replace(response="[2]"))
    assert call(monkeypatch, "labels", "export", file, "--workspace", str(tmp_path / "a")) == 0
    assert "1 calls, 0 sets of labels" in capsys.readouterr().err
    assert call(monkeypatch, "labels", "import", file, "--workspace", str(tmp_path / "b")) == 0
    told = capsys.readouterr()
    assert (
        told.out == ""
        and "0 calls added, 0 were here already, 1 differ from what is here" in told.err
        and asked.key in told.err
    )


def test_a_damaged_file_is_one_message_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.jsonl.gz"
    Ledger(tmp_path / "a" / "ledger.sqlite").put(Call(call_key("gpt", "q"), "gpt", "{}", "[1]"))
    assert call(monkeypatch, "labels", "export", str(file), "--workspace", str(tmp_path / "a")) == 0
    file.write_bytes(file.read_bytes()[:-20])
    capsys.readouterr()
    assert call(monkeypatch, "labels", "import", str(file), "--workspace", str(tmp_path / "b")) == 2
    told = capsys.readouterr()
    assert (
        "the file ends early" in told.err and f"{file}:" in told.err and "Traceback" not in told.err and told.out == ""
    )
    assert not (tmp_path / "b").exists()
    assert call(monkeypatch, "labels", "export", str(file), "--workspace", str(tmp_path / "empty")) == 2
    assert "no finished labels" in capsys.readouterr().err
