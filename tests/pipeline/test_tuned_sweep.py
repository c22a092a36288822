"""A tuned sweep from its file to its board, against the same trials made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from harness.leaderboard.board import load_board
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.plan_report import render_plan
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.card import Card
from harness.published.result_folder import CARD, read_card
from tests.collections.folders import write_folder

pytestmark = pytest.mark.models

WORDS = ["flow", "heat", "shock", "plate", "slab", "gas", "wave", "edge", "layer", "wing", "drag", "lift"]
DOCUMENTS = [
    {"_id": f"d{n}", "title": f"{word} {WORDS[n - 1]}", "text": f"About {word}."} for n, word in enumerate(WORDS)
]
QUERIES = [{"_id": f"q{n}", "text": f"what is {word} and {WORDS[n - 3]}"} for n, word in enumerate(WORDS)]
QRELS = {
    split: [(f"q{n}", f"d{n}", 1) for n in range(start, start + 4)]
    for start, split in enumerate(("train", "dev", "test"))
    for start in [4 * start]
}
RATES = [1e-5, 0.05, 0.5]
HEAD = """
collections: [{folder: small}]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {depth: 4}
budgets: [4]
seeds: [0, 1]
"""
TUNED = (
    HEAD + f"methods: [zero-shot, {{method: supervised, epochs: 2}}]\ntune: {{trials: {{learning_rate: {RATES}}}}}\n"
)
BY_HAND = HEAD + f"methods: [zero-shot, {{method: supervised, epochs: 2, learning_rate: {RATES}}}]\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    write_folder(folder / "small", DOCUMENTS, QUERIES, QRELS)
    return folder


def sweep(home: Path, name: str, text: str, *overrides: str) -> SweepResult:
    (home / f"{name}.yaml").write_text(text)
    return (
        Workspace(home / "workspace").plan(home / f"{name}.yaml", overrides).run(home / name, observer=NullObserver())
    )


@pytest.fixture(scope="module")
def tuned(home: Path) -> SweepResult:
    return sweep(home, "tuned", TUNED)


def cards(outcome: SweepResult) -> list[Card]:
    return [card for card in map(read_card, outcome.published) if card.method.name == "supervised"]


def scored(outcome: SweepResult) -> dict[tuple[int | None, object], float]:
    """Seed and learning rate to nDCG@10."""
    return {
        (card.seed, card.method.settings["learning_rate"]): card.outcome.metrics["nDCG@10"]
        for card in cards(outcome)
        if card.outcome
    }


def test_the_choice_is_that_of_the_same_trials_made_by_hand(tuned: SweepResult, home: Path) -> None:
    on_dev = scored(sweep(home, "dev", BY_HAND, "evaluate.split=dev"))
    by_hand = sweep(home, "test", BY_HAND)
    on_test = scored(by_hand)
    assert len(set(on_dev.values())) > 1
    for card in cards(tuned):
        assert card.tuning is not None and card.outcome is not None
        assert [(trial.settings["learning_rate"], trial.score) for trial in card.tuning.trials] == [
            (rate, on_dev[card.seed, rate]) for rate in RATES
        ]
        best = max(RATES, key=lambda rate: on_dev[card.seed, rate])
        assert card.tuning.chosen == {"learning_rate": best}
        assert card.outcome.metrics["nDCG@10"] == on_test[card.seed, best]


def test_the_chosen_retriever_loads(tuned: SweepResult, home: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folders = [file.parent for file in (home / "workspace" / "store" / "choose").glob("*/trials.json")]
    assert len(folders) == 2
    assert SentenceTransformer(str(folders[0])).encode(["flow"]).shape[0] == 1


def test_the_card_says_what_was_tried_and_older_cards_are_read_still(tuned: SweepResult, tmp_path: Path) -> None:
    written = yaml.safe_load((tuned.published[-1] / CARD).read_text(encoding="utf-8"))
    assert (written["tuning"]["split"], written["tuning"]["metric"], len(written["tuning"]["trials"])) == (
        "dev",
        "nDCG@10",
        3,
    )
    assert written["method"]["settings"]["learning_rate"] is None
    assert read_card(tuned.published[0]).tuning is None
    del written["tuning"]
    (tmp_path / CARD).write_text(yaml.safe_dump(written), encoding="utf-8")
    assert read_card(tmp_path).tuning is None


def test_training_costs_are_those_of_all_trials(tuned: SweepResult, home: Path) -> None:
    seconds = [
        json.loads(file.read_text())["seconds"]
        for file in (home / "workspace" / "store" / "retriever").glob("*/artefact.json")
    ]
    assert sum(card.costs.train_seconds for card in cards(tuned)) == pytest.approx(sum(seconds), abs=0.01)


def test_the_plan_counts_and_shows_the_trials(tuned: SweepResult, home: Path) -> None:
    report = Workspace(home / "fresh").plan(home / "tuned.yaml").report()
    untuned = Workspace(home / "fresh").plan(home / "tuned.yaml", ["tune=null"]).report()
    assert report["tuning"] == {
        "trials": 3,
        "split": "dev",
        "metric": "nDCG@10",
        "cells": 2,
        "stages": 2 * (2 + 3 * 3 + 1),
    }
    assert report["stages"]["distinct"] - untuned["stages"]["distinct"] == report["tuning"]["stages"]
    assert untuned["tuning"] is None
    lines = [str(part) for part in render_plan(report).renderables]
    assert "tuning: 3 trials for each of 2 cells, the best on dev by nDCG@10; 24 of the stages are for that" in lines


def test_boards_show_unequal_numbers_of_trials(tuned: SweepResult, home: Path) -> None:
    for text in (TUNED, TUNED.replace(f"{RATES}", "[0.05, 0.5]"), TUNED.split("tune:")[0]):
        sweep(home, "mixed", text)
    rows = {
        row.trials: row
        for table in load_board(home / "mixed").tables
        for row in table.rows
        if row.method == "supervised"
    }
    flags = {trials: [flag for flag in row.flags if "trials" in flag] for trials, row in rows.items()}
    assert flags == {3: [], 2: ["tuning trials: 2 of 3"], 0: ["tuning trials: 0 of 3"]}
    assert rows[3].variant == "learning_rate=tuned, tuning=3 trials on dev by nDCG@10"
    assert rows[0].variant == "learning_rate=none"
    assert all(row.runs == 2 for row in rows.values())


def test_a_second_run_does_nothing(tuned: SweepResult, home: Path) -> None:
    again = sweep(home, "tuned", TUNED)
    assert again.summary["stages"]["run"] == 0 and again.summary["cells"]["cached"] == 3
