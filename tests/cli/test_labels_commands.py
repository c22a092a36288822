"""``harness labels stats`` on a tiny sweep with teachers that cost nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.workspace import Workspace

pytestmark = pytest.mark.models

SWEEP = """
collections: [semanlink-arxiv]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 5, training_queries: [titles]}
teachers:
  shuffled: {kind: shuffled}
  first: {kind: first-stage}
  oracle: {kind: oracle}
  middling: {kind: simulated, quality: {value: 0.8}}
methods:
  - {method: direct, epochs: 1}
budgets: [20, 40]
resamples: 2
"""
"""Two resamples of 40 of some 300 titles share a few queries."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the labels of all draws but the oracle's largest; nothing is trained."""
    folder = tmp_path_factory.mktemp("labels")
    (folder / "sweep.yaml").write_text(SWEEP)
    workspace = Workspace(folder / "workspace")
    cells = workspace.plan(folder / "sweep.yaml").cells
    wanted = [cell.inputs.labels() for cell in cells if (cell.cell.teacher, cell.cell.budget) != ("oracle", 40)]
    stages = {stage.key: stage for stage in wanted}
    outcome = LocalExecutor(workspace, workspace.store, workspace.ledger, NullObserver()).execute(list(stages.values()))
    assert not outcome.failed
    return folder


def call(monkeypatch: pytest.MonkeyPatch, home: Path, *more: str) -> int:
    monkeypatch.setenv("COLUMNS", "160")
    where = [str(home / "sweep.yaml"), "--workspace", str(home / "workspace")]
    monkeypatch.setattr(sys, "argv", ["harness", "labels", "stats", *where, *more])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)


@pytest.fixture
def told(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert call(monkeypatch, home, "--json") == 0
    (collection,) = json.loads(capsys.readouterr().out)["collections"]
    return dict(collection)


def test_every_teacher_is_described(told: dict[str, Any]) -> None:
    teachers = {row["teacher"]: row for row in told["teachers"]}
    assert list(teachers) == ["shuffled", "first", "oracle", "middling"]
    assert {row["standing"] for row in teachers.values()} == {"placebo", "oracle", "simulated"}
    for row in teachers.values():
        assert sum(row["verdicts"].values()) == pytest.approx(1) and row["cost"]["calls"] == 0 <= row["cost"]["seconds"]
        assert 40 < row["queries"] <= 80 or row["teacher"] == "oracle"
    quality = {name: row["quality"]["nDCG@10"] for name, row in teachers.items()}
    assert quality["shuffled"] < quality["middling"] < quality["oracle"] == 1
    assert (
        quality["first"]
        == teachers["first"]["quality"]["first_stage"]
        == teachers["shuffled"]["quality"]["first_stage"]
    )
    assert all(row["shift"] == 0 for row in teachers["first"]["position"]["positions"])
    assert teachers["oracle"]["draws"] == [{"resample": 0, "queries": 20}, {"resample": 1, "queries": 20}]


def test_agreement_is_with_others_itself_and_the_first_stage(told: dict[str, Any]) -> None:
    pairs = {(row["a"], row["b"], row["between"]): row for row in told["agreement"]}
    assert (
        pairs["first", "first stage", "first stage"]["tau"] == 1 == pairs["first", "first stage", "first stage"]["rbo"]
    )
    assert abs(pairs["shuffled", "first", "teachers"]["tau"]) < 0.3
    # A placebo has no moods: what two resamples both drew, it ordered alike; so does one that is calibrated on the
    # pool.
    for name in ("shuffled", "middling"):
        assert pairs[name, name, "resamples"]["tau"] == 1 and pairs[name, name, "resamples"]["queries"] > 0
    # The one relevant title is no list of two.
    assert pairs["oracle", "first stage", "first stage"] == {
        "a": "oracle",
        "b": "first stage",
        "between": "first stage",
        "queries": 0,
        "tau": None,
        "rbo": None,
        "top": {"1": None, "3": None, "10": None},
    }


def test_what_is_not_labelled_is_said(told: dict[str, Any]) -> None:
    assert told["waiting"] == [
        {"teacher": "oracle", "resample": number, "queries": 40, "finished": 20} for number in (0, 1)
    ]


def test_people_get_tables(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, home) == 0
    shown = capsys.readouterr().out
    assert (
        "middling (simulated)" in shown and "itself, other resample" in shown and "only 20 are labelled of 40" in shown
    )


def test_before_anything_ran(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        call(
            monkeypatch,
            home,
            "--set",
            "teachers.shuffled.seed=7",
            "--set",
            "methods=[{method: direct, teachers: [shuffled]}]",
        )
        == 0
    )
    assert "none is labelled of 40 queries; run the sweep" in capsys.readouterr().out
    assert call(monkeypatch, home, "--set", "methods=[bm25]", "--json") == 0
    assert json.loads(capsys.readouterr().out)["collections"] == []


def test_the_summary_holds_the_reached_quality(home: Path) -> None:
    summaries = [
        json.loads(file.read_text()) for file in (home / "workspace" / "store" / "labels").glob("*/summary.json")
    ]
    reached = [summary["quality"] for summary in summaries if "quality" in summary]
    assert len(reached) == 4 and all(one == reached[0] for one in reached)
    assert reached[0]["nDCG@10"] == pytest.approx(0.8, abs=0.01) and reached[0]["queries"] <= reached[0]["pool"]
