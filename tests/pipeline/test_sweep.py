"""A whole sweep on real data with the smallest models: what it publishes, what a second run does, what failures do."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from harness import plugins as plugin_module
from harness.errors import UserError, UserErrors
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS
from harness.leaderboard.board import load_board
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.provenance import read_provenance
from harness.published.published_labels import read_labels
from harness.published.result_folder import CARD, LABELS, PROVENANCE, read_card
from tests.pipeline.extra_methods import SWITCH

pytestmark = pytest.mark.models

SWEEP = """
collections: [semanlink-arxiv]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 5, training_queries: [train, titles]}
teachers:
  shuffled: {kind: shuffled}
methods:
  - bm25
  - zero-shot
  - {method: intermediate, epochs: 1, ranker: {architecture: cross-encoder, epochs: 1}, distil_queries: [null, 40]}
  - {method: direct, epochs: 1}
  - {method: supervised, epochs: 1}
  - {method: no-llm, epochs: 1, distil_queries: 40, ranker: {architecture: cross-encoder, warmup_queries: 40}}
budgets: [20, 40]
evaluate: {metrics: [nDCG@10, R@100]}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "sweep.yaml").write_text(SWEEP)
    return folder


@pytest.fixture(scope="module")
def first(home: Path) -> SweepResult:
    return sweep(home)


def sweep(home: Path, *overrides: str, workspace: str = "workspace", results: str = "results") -> SweepResult:
    return Workspace(home / workspace).plan(home / "sweep.yaml", overrides).run(home / results, observer=NullObserver())


def metrics(results: Path) -> dict[str, Any]:
    return {card.parent.name: read_card(card.parent).outcome.metrics for card in sorted(results.glob("*/*/card.yaml"))}  # type: ignore[union-attr]


def test_every_cell_is_published_and_on_the_board(first: SweepResult, home: Path) -> None:
    assert first.summary["cells"] == {"total": 11, "done": 11, "failed": 0, "cached": 0}
    rows = load_board(home / "results").as_json()["rows"]
    assert {row["method"] for row in rows} == {"bm25", "zero-shot", "intermediate", "direct", "supervised", "no-llm"}
    assert all(0 <= row["metrics"]["nDCG@10"]["mean"] <= 1 for row in rows)


def test_cards_say_what_was_done(first: SweepResult, home: Path) -> None:
    cards = [read_card(folder) for folder in first.published]
    placebo = next(card for card in cards if card.method.name == "direct")
    assert (
        placebo.method.category == "control"
        and placebo.teacher is not None
        and placebo.teacher.teacher_type == "placebo"
    )
    assert placebo.labels is not None and placebo.labels.total == placebo.budget
    assert [source.name for source in placebo.data.training_data] == ["train", "titles"]
    reference = next(card for card in cards if card.method.name == "bm25")
    assert reference.budget is None and reference.student is None and reference.collection.content_hash


def test_how_a_run_was_made_and_its_labels_lie_beside_it(first: SweepResult, home: Path) -> None:
    runs = {folder: read_card(folder) for folder in first.published}
    folder, card = next(
        (folder, card) for folder, card in runs.items() if card.method.name == "intermediate" and card.budget == 20
    )
    making, labels = read_provenance(folder), read_labels(folder)
    assert making is not None and labels is not None and card.outcome is not None
    assert {stage.kind: stage.seconds for stage in making.stages if stage.kind == "ranker"}["ranker"] == card.durations[
        "ranker"
    ]
    assert not any(stage.cached for stage in making.stages)
    curves = {stage.kind: stage.curve for stage in making.stages if stage.curve}
    assert set(curves) == {"ranker", "retriever"} and all(
        curve.best_step == curve.steps > 0 for curve in curves.values()
    )
    assert (labels.header.labels, labels.header.rows) == (20, 20) and len({row.query for row in labels.rows}) == 20
    (key,) = (stage.key for stage in making.stages if stage.kind == "labels")
    said = {
        ranking.query: ranking for ranking in read_rankings(home / "workspace" / "store" / "labels" / key / RANKINGS)
    }
    assert all(row.ranking().ranked == said[row.query].ranked and row.text for row in labels.rows)
    assert all(len(row.ranker) == len(row.given) for row in labels.rows), (
        "a list of stage 2 has more than the candidates"
    )
    assert {PROVENANCE, LABELS} <= card.outcome.files.keys()
    reference = next(folder for folder, card in runs.items() if card.method.name == "bm25")
    assert read_provenance(reference) is not None and read_labels(reference) is None


def test_a_second_run_does_nothing_and_the_plan_says_so(first: SweepResult, home: Path) -> None:
    report = Workspace(home / "workspace").plan(home / "sweep.yaml").report()
    assert report["stages"]["cached"] == report["stages"]["distinct"] < report["stages"]["naive"]
    assert report["llm"]["calls"] == 0
    again = sweep(home)
    assert again.summary["stages"]["run"] == 0 and again.summary["cells"]["cached"] == 11
    assert Workspace(home / "workspace").plan(home / "sweep.yaml").status()["stages"] == {
        "done": report["stages"]["distinct"]
    }


def test_a_card_that_was_deleted_is_written_again_and_says_where(first: SweepResult, home: Path) -> None:
    folder = first.published[0]
    before = read_card(folder)
    (folder / CARD).unlink()
    assert sweep(home).summary["stages"]["run"] == 0
    again = read_card(folder)
    # What its stages once took is known of the store alone, so its provenance says that all of them were there.
    told = {"created": before.created, "outcome": before.outcome}
    assert again.model_copy(update=told) == before and again.outcome.metrics == before.outcome.metrics
    assert again.platform["hardware"] and again.implementation["executable"]


def test_moving_the_workspace_runs_nothing(first: SweepResult, home: Path) -> None:
    shutil.copytree(home / "workspace", home / "elsewhere")
    assert sweep(home, workspace="elsewhere").summary["stages"]["run"] == 0


def test_another_loss_runs_only_what_rests_on_it(first: SweepResult, home: Path) -> None:
    change = "methods=[{method: direct, epochs: 1, retriever_loss: ranknet}]"
    report = Workspace(home / "workspace").plan(home / "sweep.yaml", [change]).report()
    waiting = {kind: counts["to_run"] for kind, counts in report["stages"]["by_kind"].items() if counts["to_run"]}
    trace = {"retriever-fidelity": 2, "trace": 2}
    assert waiting == {"retriever": 2, "embed": 2, "dense-search": 2, "evaluate": 2, **trace}


def test_numbers_are_the_same_in_a_fresh_workspace(first: SweepResult, home: Path) -> None:
    sweep(home, workspace="fresh", results="fresh-results")
    assert metrics(home / "fresh-results") == metrics(home / "results")


@pytest.fixture
def with_fragile(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = plugin_module.entry_points
    extra = EntryPoint("extra", "tests.pipeline.extra_methods", "harness.methods")
    monkeypatch.setattr(
        plugin_module, "entry_points", lambda group: [*real(group=group), *([extra] if group == extra.group else [])]
    )
    plugin_module.plugins.cache_clear()
    yield
    monkeypatch.undo()
    plugin_module.plugins.cache_clear()


@pytest.mark.usefixtures("with_fragile")
def test_a_method_that_raises_costs_its_own_cells_only(
    first: SweepResult, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = "methods=[zero-shot, fragile, bm25]"
    monkeypatch.setenv(SWITCH, "1")
    outcome = sweep(home, methods, results="fragile-results")
    assert outcome.summary["cells"]["failed"] == 1 and outcome.summary["cells"]["done"] == 2
    (reason,) = outcome.failures
    assert re.fullmatch(r"RuntimeError: the method is broken on purpose \(.*extra_methods\.py:\d+\)", reason)
    told = Workspace(home / "workspace").plan(home / "sweep.yaml", [methods]).status()["cells"]
    assert [row["state"] for row in told] == ["done", "failed", "done"] and "on purpose" in told[1]["reason"]
    monkeypatch.delenv(SWITCH)
    assert sweep(home, methods, results="fragile-results").summary["stages"]["run"] == 4


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budgets=[20, 5000]", "larger than"),
        ("methods.3.method=dirct", "did you mean 'direct'"),
        ("collections=[{folder: nowhere}]", "no folder"),
        ("students.ranker=./nothing", "no model"),
    ],
)
def test_wrong_input_is_refused_before_anything_runs(
    first: SweepResult, home: Path, override: str, message: str
) -> None:
    with pytest.raises((UserError, UserErrors), match=message):
        sweep(home, override)


def _start(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from harness.cli.main import main; main()", "sweep", str(home / "sweep.yaml")]
    folders = ["--workspace", str(home / "killed"), "--results", str(home / "killed-results"), "--json"]
    return subprocess.Popen([*command, *folders], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ})


@pytest.mark.parametrize("moment", ["labels", "retriever", "embed"])
def test_kill_9_costs_nothing_but_time(first: SweepResult, home: Path, moment: str) -> None:
    shutil.rmtree(home / "killed", ignore_errors=True)
    shutil.rmtree(home / "killed-results", ignore_errors=True)
    shutil.copytree(home / "workspace" / "collections", home / "killed" / "collections")
    shutil.copytree(home / "workspace" / "store" / "static-student", home / "killed" / "store" / "static-student")
    victim = _start(home)
    deadline = time.monotonic() + 120
    while not any((home / "killed" / "store" / moment).glob("[.0-9a-f]*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    again = _start(home)
    told = json.loads(again.communicate(timeout=200)[0])
    assert again.returncode == 0 and told["cells"]["failed"] == 0
    assert metrics(home / "killed-results") == metrics(home / "results")
