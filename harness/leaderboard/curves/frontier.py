"""What quality costs: which rows nothing cheaper equals, and which of the others are surely worse than a row that is no
dearer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.corrections import correct_distinct
from harness.evaluation.significance.method_difference import MeanDifference, difference_of
from harness.leaderboard.board_model import ALPHA, Row, Table
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.row_query_values import PerQuery, per_query
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
MOST_TESTED = 100
"""Rows above which their pairs are not tested."""


class Priced(NamedTuple):
    """A row with its price and mean.

    `beaten_by` is the row of the highest mean among those that dominate it, None on the frontier. `p_adjusted` says how
    likely chance alone puts that row so far above it, one-sided, adjusted over the family of `Frontier`; None where
    there is none or nothing was tested. `difference` is that row's lead, with its 95 % interval.
    """

    name: str
    price: float
    mean: float
    beaten_by: str | None
    p_adjusted: float | None = None
    difference: float | None = None
    interval: Interval | None = None

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
    that one is also significantly better: t over queries and runs, Holm over all pairs of a row and one that is no
    dearer, so that the row with the highest mean may be picked afterwards. Rows that do not compete (teachers that see
    the answers) or that lack the leading metric are left out.
    """
    of = PRICES[price].of
    kept = [(name, row) for name, row in rows if row.rank is not None]
    kept.sort(key=lambda one: (of(one[1]), -one[1].metrics[table.metric].mean))
    prices, means = [of(row) for _, row in kept], [row.metrics[table.metric].mean for _, row in kept]
    beaten = _dominators(prices, means)
    tested = _Tested({}, {})
    if 1 < len(kept) <= MOST_TESTED and table.queries > 1:
        tested = _tested(per_query(result_set, table, kept), prices)
    unknown = sum(_as_found(result_set, table, row) for _, row in kept) if price == "seconds" else 0
    priced = []
    for place, ((name, _), by) in enumerate(zip(kept, beaten, strict=True)):
        if by is None:
            priced.append(Priced(name, prices[place], means[place], None))
            continue
        lead = tested.differences.get((place, by))
        about = (lead.difference, lead.interval()) if lead else (None, None)
        priced.append(Priced(name, prices[place], means[place], kept[by][0], tested.p.get((place, by)), *about))
    return Frontier(price, tuple(priced), _family(len(kept), len(tested.differences)) + _price_caveat(unknown))


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


class _Tested(NamedTuple):
    """By pair of places, a row and one that is no dearer: the other's lead, and its p, adjusted over all pairs."""

    differences: dict[tuple[int, int], MeanDifference]
    p: dict[tuple[int, int], float]


def _tested(values: PerQuery, prices: Sequence[float]) -> _Tested:
    places = range(len(prices))
    pairs = [(row, other) for row in places for other in places if other != row and prices[other] <= prices[row]]
    found = {(row, other): difference_of(values.runs[other], values.runs[row], values.clusters) for row, other in pairs}
    tested = {pair: one.p(Alternative.greater) for pair, one in found.items() if not one.is_single}
    bytes_of = [one.values.tobytes() for one in values.runs]
    keys = [(bytes_of[row], bytes_of[other]) for row, other in tested]
    adjusted = correct_distinct(np.array([*tested.values()]), "holm", keys).tolist() if tested else []
    return _Tested(found, dict(zip(tested, adjusted, strict=True)))


def _family(rows: int, pairs: int) -> str:
    if not pairs:
        return (
            f"nothing tested: {counted(rows, 'row')}, more than {MOST_TESTED}"
            if rows > MOST_TESTED
            else "nothing tested"
        )
    return (
        f"surely: p < {ALPHA:g} that the other is better, one-sided, t over queries and runs, Holm over "
        f"{counted(pairs, 'pair')} of a row and one no dearer"
    )
