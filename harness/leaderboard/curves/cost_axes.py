"""What a curve can be drawn against: labels, money, tokens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


def usd(row: Row, hour: float = 0.0) -> float:
    """Labels at their price, and all hours of the machine at `hour` USD each."""
    return row.cost["usd"] + hour * row.cost["seconds"] / 3600


AXES: dict[str, Axis] = {
    "labels": Axis("labelled queries", "labels", _labels),
    "usd": Axis("USD for labels, each at its price", "USD", usd),
    "tokens": Axis("tokens read and written by the teacher", "tokens", row_texts.tokens),
}


def axis_of(name: str, hour: float = 0.0) -> Axis:
    """One of AXES; money with the hours of the machine, where an `hour` of it has a price in USD."""
    if name != "usd" or not hour:
        return AXES[name]
    return Axis(f"USD (a machine at {hour:g} an hour)", "USD", partial(usd, hour=hour))
