"""Rows whose settings were chosen on another split."""

from __future__ import annotations

from pathlib import Path

from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row
from harness.published.card import Card, TrialOutcome, TuningSection
from tests.leaderboard.runs import make_card, make_run, put


def tuned(tag: str, trials: int, chosen: int = 0, method: str = "direct", **changes: object) -> Card:
    tried = tuple(TrialOutcome(settings={"learning_rate": 0.1 * (number + 1)}, score=0.5) for number in range(trials))
    about = TuningSection(split="dev", metric="nDCG@10", trials=tried, chosen=tried[chosen].settings)
    return make_card(
        tag,
        method,
        tuning=about,
        settings={"learning_rate": None, "epochs": 3},
        **{"seed": 0, "resample": 0, **changes},
    )


def rows(folder: Path, *cards: Card) -> list[Row]:
    for number, card in enumerate(cards):
        put(folder, card, make_run(0.3, number))
    (table,) = load_board(folder).tables
    return list(table.rows)


def test_runs_that_chose_differently_are_one_row(tmp_path: Path) -> None:
    [row] = rows(tmp_path, tuned("one", 2, chosen=0), tuned("two", 2, chosen=1, resample=1))
    assert (row.runs, row.trials, row.variant, row.flags) == (2, 2, "", ())


def test_other_trials_make_another_row(tmp_path: Path) -> None:
    found = rows(tmp_path, tuned("one", 2), tuned("two", 3))
    assert {row.variant for row in found} == {"tuning=2 trials on dev by nDCG@10", "tuning=3 trials on dev by nDCG@10"}


def test_trained_rows_with_fewer_trials_are_flagged(tmp_path: Path) -> None:
    zero = make_card("zero", budget=None)
    given = make_card("given", "supervised", seed=0, settings={"learning_rate": 0.1})
    found = rows(tmp_path, zero, given, tuned("one", 1, method="no-llm"), tuned("two", 3))
    flags = {row.method: [flag for flag in row.flags if "trials" in flag] for row in found}
    assert flags == {
        "zero-shot": [],
        "supervised": ["tuning trials: 0 of 3"],
        "no-llm": ["tuning trials: 1 of 3"],
        "direct": [],
    }


def test_a_tuned_setting_is_told_apart_from_a_given_one(tmp_path: Path) -> None:
    given = make_card("given", "direct", seed=0, settings={"learning_rate": 0.1, "epochs": 3})
    found = rows(tmp_path, given, tuned("two", 3))
    assert {row.variant for row in found} == {
        "learning_rate=0.1",
        "learning_rate=tuned, tuning=3 trials on dev by nDCG@10",
    }
