"""What quality costs: which rows nothing cheaper equals, and which of the others are surely worse than a row that is no
dearer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.joint_tests import max_t
from harness.leaderboard.board_model import ALPHA, Row, Table
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.row_query_values import per_query
from harness.leaderboard.row_statistics import SEED
from harness.text import counted


class CurvePrice(NamedTuple):
    """One thing that a row can cost: a heading, the number, and why all rows of a table may have none."""

    title: str
    of: Callable[[Row], float]
    lacking: str


PRICES = {
    "usd": CurvePrice(
        "USD for labels",
        lambda row: row.cost["usd"],
        "labels of teachers that run on one's own machine, and rows without labels, cost no money",
    ),
    "labels": CurvePrice("labelled queries", lambda row: float(row.budget or 0), "no method here was given labels"),
    "tokens": CurvePrice(
        "tokens", lambda row: row.cost["input_tokens"] + row.cost["output_tokens"], "no teacher here read or wrote any"
    ),
    "training": CurvePrice(
        "seconds of training", lambda row: row.cost["train_seconds"], "the cards tell of no stage that trains"
    ),
    "seconds": CurvePrice("seconds of all stages", lambda row: row.cost["seconds"], "the cards tell of no times"),
}
FRONTIER, DOMINATED, SURELY = "frontier", "dominated", "surely dominated"
STANDINGS = {
    FRONTIER: "no row that is no dearer has as high a mean",
    DOMINATED: "a row that is no dearer has at least its mean; the difference may be chance",
    SURELY: "a row that is no dearer is significantly better",
}
"""Where a row can stand, and what that means."""
FLIPS = 2_000
MOST_TESTED = 100
"""Rows above which their pairs are not tested."""


class Priced(NamedTuple):
    """A row with its price and mean.

    `beaten_by` is the row of the highest mean among those that dominate it, None on the frontier. `p_adjusted` says how
    likely chance alone puts that row so far above it, one-sided, adjusted over the family of `Frontier`; None where
    there is none or nothing was tested.
    """

    name: str
    price: float
    mean: float
    beaten_by: str | None
    p_adjusted: float | None = None

    @property
    def status(self) -> str:
        """One of STANDINGS."""
        if self.beaten_by is None:
            return FRONTIER
        return SURELY if self.p_adjusted is not None and self.p_adjusted < ALPHA else DOMINATED


@dataclass(frozen=True)
class Frontier:
    """Rows by price, cheapest first, and what was tested."""

    price: str
    """One of PRICES."""
    rows: tuple[Priced, ...]
    family: str


def unpriced(rows: Sequence[Row]) -> list[str]:
    """The prices of `PRICES` that are 0 for all `rows`."""
    return [name for name, price in PRICES.items() if not any(price.of(row) for row in rows)]


def frontier(result_set: ResultSet, table: Table, rows: Sequence[tuple[str, Row]], price: str) -> Frontier:
    """The named `rows` by price, and which of them others dominate (Pareto).

    A row is dominated by one that is at least as cheap and as good and in one of both better, by means; surely, where
    that one is also significantly better: step-down maxT over all pairs of a row and one that is no dearer, so that the
    row with the highest mean may be picked afterwards. Rows that do not compete (teachers that see the answers) or that
    lack the leading metric are left out.
    """
    of = PRICES[price].of
    kept = [(name, row) for name, row in rows if row.rank is not None]
    kept.sort(key=lambda one: (of(one[1]), -one[1].metrics[table.metric].mean))
    prices, means = [of(row) for _, row in kept], [row.metrics[table.metric].mean for _, row in kept]
    beaten = _dominators(prices, means)
    p: list[float | None] = [None] * len(kept)
    pairs = 0
    if 1 < len(kept) <= MOST_TESTED and table.queries > 1:
        p, pairs = _adjusted(per_query(result_set, table, kept).values, prices, beaten)
    unknown = sum(_as_found(result_set, table, row) for _, row in kept) if price == "seconds" else 0
    priced = [
        Priced(name, prices[place], means[place], None if by is None else kept[by][0], p[place])
        for place, ((name, _), by) in enumerate(zip(kept, beaten, strict=True))
    ]
    return Frontier(price, tuple(priced), _family(len(kept), pairs) + _price_caveat(unknown))


def _as_found(result_set: ResultSet, table: Table, row: Row) -> bool:
    """Whether a card of the row knows no more than how long it took to label with what was in the ledger already."""
    return any(
        run.card.costs.calls and run.card.costs.seconds_standalone is None for run in result_set.runs_of_row(table, row)
    )


def _price_caveat(unknown: int) -> str:
    """What is to be said of rows whose price may be too low."""
    if not unknown:
        return ""
    return (
        f"; {counted(unknown, 'row')} with labelling as it went here, calls that were in the ledger already for "
        "nothing: too cheap"
    )


def _dominators(prices: Sequence[float], means: Sequence[float]) -> list[int | None]:
    """For each place the one that dominates it with the highest mean; places are sorted by price, then by mean from the
    highest."""
    answer: list[int | None] = []
    best: int | None = None
    for place, (price, mean) in enumerate(zip(prices, means, strict=True)):
        dominated = best is not None and (means[best] > mean or (means[best] == mean and prices[best] < price))
        answer.append(best if dominated else None)
        if best is None or mean > means[best]:
            best = place
    return answer


def _adjusted(values: Array, prices: Sequence[float], beaten: Sequence[int | None]) -> tuple[list[float | None], int]:
    """Adjusted p of each place against its dominator, `values` (queries, places), and how many pairs the family has."""
    places = range(len(prices))
    pairs = [(row, other) for row in places for other in places if other != row and prices[other] <= prices[row]]
    differences = np.column_stack([values[:, other] - values[:, row] for row, other in pairs])
    p = dict(zip(pairs, max_t(differences, SEED, Alternative.greater, FLIPS).tolist(), strict=True))
    return [None if by is None else p[place, by] for place, by in enumerate(beaten)], len(pairs)


def _family(rows: int, pairs: int) -> str:
    if not pairs:
        return (
            f"nothing tested: {counted(rows, 'row')}, more than {MOST_TESTED}"
            if rows > MOST_TESTED
            else "nothing tested"
        )
    return (
        f"surely: p < {ALPHA:g} that the other is better, one-sided, step-down maxT over "
        f"{counted(pairs, 'pair')} of a row and one no dearer, {FLIPS:,} sign flips of queries, seed {SEED}"
    )
