"""What quality costs: which rows nothing cheaper equals, and where the money and the time went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.board.model import Row, Table

PRICES: dict[str, tuple[str, Callable[[Row], float]]] = {
    "usd": ("USD for labels", lambda row: row.cost["usd"]),
    "labels": ("labelled queries", lambda row: float(row.budget or 0)),
    "tokens": ("tokens", lambda row: row.cost["input_tokens"] + row.cost["output_tokens"]),
    "training": ("seconds of training", lambda row: row.cost["train_seconds"]),
    "seconds": ("seconds of all stages", lambda row: row.cost["seconds"]),
}
"""What a row can cost: a heading, and the number."""


class Priced(NamedTuple):
    """A row with its price and mean; `beaten_by` names a row that costs no more and scores no less, None on the frontier."""

    name: str
    price: float
    mean: float
    beaten_by: str | None


def frontier(table: Table, rows: Sequence[tuple[str, Row]], price: str) -> list[Priced]:
    """The named `rows` by price, cheapest first, and which of them others dominate (Pareto), by means and not by tests.

    A row is dominated by one that is at least as cheap and as good and in one of both better. Rows that do not compete (teachers that
    see the answers) or that lack the leading metric are left out.
    """
    of = PRICES[price][1]
    found = [(name, of(row), row.metrics[table.metric].mean) for name, row in rows if row.rank is not None]
    ordered = sorted(found, key=lambda one: (one[1], -one[2]))
    answer: list[Priced] = []
    best: tuple[str, float, float] | None = None
    for one in ordered:
        dominated = best is not None and (best[2] > one[2] or (best[2] == one[2] and best[1] < one[1]))
        answer.append(Priced(*one, best[0] if dominated and best else None))
        if best is None or one[2] > best[2]:
            best = one
    return answer
