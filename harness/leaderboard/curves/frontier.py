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
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import ALPHA, Row, Table
from harness.leaderboard.curves.cost_axes import axis_of, usd
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
        usd,
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
LABELLED, ALL_ROWS = "labels", "all"
AMONG = {LABELLED: "rows that use labels", ALL_ROWS: "all rows"}
"""What rows are held against: only those that pay for labels, or also those that need none."""
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
    mark: str = ""
    """'placebo' or 'control', where it is one."""

    @property
    def title(self) -> str:
        """Its name, marked."""
        return f"{self.name} ({self.mark})" if self.mark else self.name

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
    title: str
    """What the price is, in words."""
    left_out: tuple[tuple[str, float], ...] = ()
    """Rows without labels that were not compared, with their means."""


def price_of(name: str, hour: float = 0.0) -> CurvePrice:
    """One of PRICES; money with the hours of the machine, where an `hour` of it has a price in USD."""
    if name != "usd" or not hour:
        return PRICES[name]
    axis = axis_of(name, hour)
    return PRICES[name]._replace(title=axis.title, of=axis.of)


def unpriced(rows: Sequence[Row], hour: float = 0.0) -> list[str]:
    """The prices of `PRICES` that are 0 for all `rows`."""
    return [name for name in PRICES if not any(price_of(name, hour).of(row) for row in rows)]


def frontier(
    result_set: ResultSet,
    table: Table,
    rows: Sequence[tuple[str, Row]],
    price: str,
    *,
    hour: float = 0.0,
    among: str = ALL_ROWS,
) -> Frontier:
    """The named `rows` by price, and which of them others dominate (Pareto). `among` is one of AMONG; money counts the
    `hour` of the machine in USD.

    A row is dominated by one that is at least as cheap and as good and in one of both better, by means; surely, where
    that one is also significantly better: t over queries and runs, Holm over all pairs of a row and one that is no
    dearer, so that the row with the highest mean may be picked afterwards. Rows that do not compete (teachers that see
    the answers) or that lack the leading metric are left out.
    """
    title, of, _ = price_of(price, hour)
    competing = [(name, row) for name, row in rows if row.rank is not None]
    kept = [(name, row) for name, row in competing if among == ALL_ROWS or row.budget]
    left_out = tuple((name, row.metrics[table.metric].mean) for name, row in competing if (name, row) not in kept)
    kept.sort(key=lambda one: (of(one[1]), -one[1].metrics[table.metric].mean))
    prices, means = [of(row) for _, row in kept], [row.metrics[table.metric].mean for _, row in kept]
    beaten, marks = _dominators(prices, means), [row_texts.doubt(row) for _, row in kept]
    tested = _Tested({}, {})
    if 1 < len(kept) <= MOST_TESTED and table.queries > 1:
        tested = _tested(per_query(result_set, table, kept), prices)
    timed = price == "seconds" or (price == "usd" and hour > 0)
    unknown = sum(_as_found(result_set, table, row) for _, row in kept) if timed else 0
    priced = []
    for place, ((name, _), by) in enumerate(zip(kept, beaten, strict=True)):
        if by is None:
            priced.append(Priced(name, prices[place], means[place], None, mark=marks[place]))
            continue
        lead = tested.differences.get((place, by))
        difference, interval = (lead.difference, lead.interval()) if lead else (None, None)
        about = (kept[by][0], tested.p.get((place, by)), difference, interval, marks[place])
        priced.append(Priced(name, prices[place], means[place], *about))
    only = "" if among == ALL_ROWS else f"among {AMONG[among]}: "
    family = f"{only}{_family(len(kept), len(tested.differences))}{_price_caveat(unknown)}"
    return Frontier(price, tuple(priced), family, title, left_out)


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
