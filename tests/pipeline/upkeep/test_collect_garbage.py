"""What a workspace gives up: never a result, a label or a paid call, nor what a sweep needs; what is missing is made
again, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.leaderboard.board import load_board
from harness.pipeline.upkeep.collect_garbage import Choice, collect_garbage
from harness.pipeline.upkeep.plan_marks import marked
from harness.published.result_folder import read_card
from tests.pipeline.upkeep.conftest import Finished

pytestmark = pytest.mark.models

RESULTS = ("labels", "lexical-search", "dense-search", "evaluate", "trace", "pool", "ranked-lists", "ranker-scores")


def costs(results: Path) -> dict[str, Any]:
    cards = [read_card(file.parent) for file in results.glob("*/*/card.yaml")]
    return {card.tag: (card.costs, card.durations, card.labels) for card in cards}


def kinds(finished: Finished) -> set[str]:
    return {folder.parent.name for folder in finished.workspace.store.folders()}


def ran(finished: Finished, *overrides: str, results: str = "results") -> int:
    outcome = finished.run(*overrides, results=results)
    assert not outcome.failures
    return int(outcome.summary["stages"]["run"])


def test_a_finished_sweep_shrinks_to_its_results_and_runs_nothing(finished: Finished) -> None:
    kept, board = finished.hashes(*RESULTS), load_board(finished.results).as_json()
    report = collect_garbage(finished.workspace, Choice())

    assert report["removed"] and report["goes"]["bytes"] > 0.9 * report["parts"]["store"]
    assert {"retriever", "static-student", "ranker"}.isdisjoint(kinds(finished))
    assert finished.hashes(*RESULTS) == kept
    assert ran(finished) == 0
    assert load_board(finished.results).as_json() == board
    states = finished.plan().status()
    assert {row["state"] for row in states["cells"]} == {"done"}
    assert states["stages"]["not needed"] == report["goes"]["artefacts"]
    assert collect_garbage(finished.workspace, Choice())["goes"]["artefacts"] == 0


def test_costs_are_known_of_what_went(finished: Finished) -> None:
    collect_garbage(finished.workspace, Choice(labels=True))
    assert ran(finished, results="elsewhere") == 0
    assert costs(finished.home / "elsewhere") == costs(finished.results)


def test_a_look_takes_nothing(finished: Finished) -> None:
    before = finished.hashes(*kinds(finished))
    report = collect_garbage(finished.workspace, Choice(labels=True), dry_run=True)
    assert report["goes"]["artefacts"] > 0 and not report["removed"]
    assert finished.hashes(*kinds(finished)) == before
    assert sum(row["bytes"] for row in report["kinds"]) <= report["parts"]["store"]
    assert all(sum(row["needs"].values()) == row["bytes"] for row in report["kinds"])


def test_what_a_new_cell_needs_is_made_again_and_its_record_goes(finished: Finished) -> None:
    collect_garbage(finished.workspace, Choice())
    waiting = finished.plan("budgets=[8,12]").waiting
    assert {"static-student", "retriever", "labels"} <= {stage.kind for stage in waiting.values()}
    assert ran(finished, "budgets=[8,12]") == len(waiting)
    store = finished.workspace.store
    assert {folder.name for folder in store.folders()}.isdisjoint({folder.name for folder in store.records.folders()})


def test_nothing_that_a_running_sweep_rests_on_goes(finished: Finished) -> None:
    with marked(finished.plan()):
        report = collect_garbage(finished.workspace, Choice(labels=True))
        assert report["running"] == ["sweep"] and report["goes"]["artefacts"] == 0
    assert collect_garbage(finished.workspace, Choice())["goes"]["artefacts"] > 0


def test_a_sweep_that_runs_in_another_process_is_not_disturbed(finished: Finished) -> None:
    words = ["sweep", "sweep.yaml", "--set", "budgets=[4,6,8,10,12]", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *words], cwd=finished.home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as sweep:
        looks = 0
        while sweep.poll() is None:
            looks += bool(collect_garbage(finished.workspace, Choice(labels=True))["running"])
            time.sleep(0.05)
    assert sweep.returncode == 0 and looks > 0


def test_what_an_interrupted_sweep_goes_on_from_stays(finished: Finished) -> None:
    for cell in finished.plan().cells:
        shutil.rmtree(finished.workspace.store.place(cell.run))
        shutil.rmtree(finished.workspace.store.place(cell.evaluate))
    waiting = set(finished.plan().waiting)
    collect_garbage(finished.workspace, Choice())
    assert set(finished.plan().waiting) == waiting
    assert "retriever" in kinds(finished) and "ranker" not in kinds(finished)


def test_an_interrupted_sweep_of_an_older_version_keeps_what_it_made(finished: Finished) -> None:
    shutil.rmtree(finished.workspace.plans)
    for kind in ("dense-search", "evaluate", "trace", "retriever-fidelity"):
        shutil.rmtree(finished.workspace.store.root / kind, ignore_errors=True)
    collect_garbage(finished.workspace, Choice())
    assert "retriever" in kinds(finished)


def test_what_nobody_knows_goes_and_what_sweeps_rest_on_stays(finished: Finished) -> None:
    stranger = finished.workspace.store.root / "retriever" / ("f" * 64)
    shutil.copytree(next((finished.workspace.store.root / "retriever").iterdir()), stranger)
    report = collect_garbage(finished.workspace, Choice(keep="sweeps"))
    assert report["goes"]["artefacts"] == 1 and not stranger.exists() and "retriever" in kinds(finished)


def test_by_sweep_and_by_age(finished: Finished) -> None:
    retrievers = [finished.plan(f"budgets=[{budget}]") for budget in (4, 8)]
    only = frozenset(retrievers[0].stages) - frozenset(retrievers[1].stages)
    collect_garbage(finished.workspace, Choice(only=only))
    there = {folder.name for folder in finished.workspace.store.folders()}
    assert not only & {stage.key for stage in retrievers[0].stages.values() if stage.kind == "retriever"} & there
    assert {stage.key for stage in retrievers[1].stages.values()} <= there

    assert collect_garbage(finished.workspace, Choice(older_than=1))["goes"]["artefacts"] == 0
    old = next(folder for folder in finished.workspace.store.folders() if folder.parent.name == "retriever")
    os.utime(old / "artefact.json", (time.time() - 2 * 86_400,) * 2)
    assert collect_garbage(finished.workspace, Choice(older_than=1))["goes"]["artefacts"] == 1 and not old.exists()


def test_labels_go_when_that_is_said_and_come_back_without_a_call(finished: Finished) -> None:
    labels = finished.hashes("labels")
    collect_garbage(finished.workspace, Choice(labels=True))
    assert not finished.hashes("labels")
    assert ran(finished) == 0
    assert ran(finished, "budgets=[4,8,12]") > 0
    back = finished.hashes("labels")
    assert {name: back[name] for name in labels if name.endswith(".gz") and name in back} == {
        name: content for name, content in labels.items() if name.endswith(".gz") and name in back
    }


def test_damaged_and_half_written_artefacts_go(finished: Finished) -> None:
    store = finished.workspace.store
    final = finished.plan().finals[0]
    store.discard(final)
    (store.root / "retriever" / f".{'a' * 64}-0123abcd").mkdir()
    report = collect_garbage(finished.workspace, Choice())
    assert report["goes"]["aside_bytes"] > 0
    assert not list(finished.workspace.damaged.glob("*")) and not list(store.root.glob("*/.*"))


def test_half_a_workspace_heals(finished: Finished) -> None:
    store, plan = finished.workspace.store, finished.plan()
    for kind in ("static-student", "ranker", "ranked-lists"):
        shutil.rmtree(store.root / kind)
    assert ran(finished) == 0

    cell = next(cell for cell in plan.cells if cell.cell.method.name == "direct")
    shutil.rmtree(store.place(cell.evaluate))
    assert ran(finished) == 1
    shutil.rmtree(store.place(cell.run))
    shutil.rmtree(store.place(cell.evaluate))
    retriever = next(stage for stage in cell.run.inputs() if stage.kind == "embed")
    shutil.rmtree(store.place(retriever))
    assert ran(finished) == 3


def test_a_card_is_not_written_without_what_its_models_took(finished: Finished) -> None:
    shutil.rmtree(finished.workspace.store.root / "retriever")
    count = sum(stage.kind == "retriever" for stage in finished.plan().stages.values())
    trained = sum(bool(card[0].train_seconds) for card in costs(finished.results).values())
    assert trained > 0
    assert ran(finished, results="elsewhere") >= count
    assert sum(bool(card[0].train_seconds) for card in costs(finished.home / "elsewhere").values()) == trained


@pytest.mark.parametrize(("keep", "left"), [("all", {"ranker", "retriever"}), ("last", {"retriever"}), ("none", set())])
def test_a_sweep_keeps_the_models_that_its_file_says(finished: Finished, keep: str, left: set[str]) -> None:
    keys = set(finished.plan().stages)
    assert set(finished.plan(f"keep={keep}").stages) == keys
    outcome = finished.run(f"keep={keep}")
    assert kinds(finished) & {"ranker", "retriever"} == left
    assert (
        (outcome.summary["released"]["artefacts"] > 0) == (keep != "all") == (f"as keep: {keep} says" in outcome.text())
    )
    assert ran(finished, f"keep={keep}") == 0
