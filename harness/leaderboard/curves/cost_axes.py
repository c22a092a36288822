"""What a curve can be drawn against: labels, money, tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row


class Axis(NamedTuple):
    """A quantity of a row, in words and as a number; rows where it is 0 cannot stand on a logarithmic axis and become
    levels."""

    title: str
    unit: str
    of: Callable[[Row], float]


def _labels(row: Row) -> float:
    return float(row.budget or 0)


def _usd(row: Row) -> float:
    return row.cost["usd"]


AXES: dict[str, Axis] = {
    "labels": Axis("labelled queries", "labels", _labels),
    "usd": Axis("USD for labels, each at its price", "USD", _usd),
    "tokens": Axis("tokens read and written by the teacher", "tokens", row_texts.tokens),
}
