"""Prices that nobody paid, and sums of stages and shares of reasons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.leaderboard.board import load_board
from harness.leaderboard.curves.frontier import PRICES, unpriced
from harness.leaderboard.inspect.stage_costs import Split
from harness.leaderboard.inspect.teacher_summary import teacher_summaries
from harness.leaderboard.load_results import load_results
from harness.published.card_costs import Verdicts
from tests.leaderboard.runs import make_card, make_run, put, teacher


def test_every_price_has_a_reason_of_its_own() -> None:
    assert all(price.lacking for price in PRICES.values())
    assert len({price.lacking for price in PRICES.values()}) == len(PRICES)


def test_only_prices_that_no_row_has_are_told(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "first", budget=100, teacher=teacher()), make_run(0.5))
    rows = load_board(tmp_path).tables[0].rows
    free = replace(
        rows[0], cost={**rows[0].cost, "usd": 0.0, "train_seconds": 0.0, "input_tokens": 9.0, "seconds": 5.0}
    )
    assert unpriced([free]) == ["usd", "training"]
    assert unpriced([free, replace(free, cost={**free.cost, "usd": 0.5})]) == ["training"]
    assert unpriced([]) == list(PRICES)


def test_a_split_adds_up() -> None:
    assert Split("row", {"train": 2.5, "embed": 1.0, "other": 0.5}).total == 4.0


def test_reasons_are_shares_of_the_labels(tmp_path: Path) -> None:
    labels = Verdicts(ok=20, failed=15, partial=5, reasons={"no list": 15, "too few": 5})
    put(tmp_path, make_card("a", "first", budget=40, resample=0, teacher=teacher(), labels=labels), make_run(0.5))
    (found,) = teacher_summaries(load_results(tmp_path).runs)
    assert found.reason_shares == pytest.approx({"no list": 15 / 40, "too few": 5 / 40})
    assert list(found.reason_shares) == list(found.reasons)
