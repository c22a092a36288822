"""What a comparison over queries and runs could show at all: the least difference, the least margin, and how many runs
or queries it would take.

The test is the t of `query_run_t`; where the difference is real it is noncentral. A margin is that of non-inferiority
when there is no difference. Settings are variances of one query's difference (its standard deviation over queries) and
of one run's mean (luck with a draw).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from harness._lazy import lazy
from harness.evaluation.significance.resample_overlap import overlap_factor
from harness.evaluation.significance.t_intervals import degrees

special = lazy("scipy.special")

POWER = 0.8
MOST_RUNS = 50
MOST_QUERIES = 1_000_000


class Spread(NamedTuple):
    """What differences vary by, and how often they are measured."""

    deviation: float
    """Of a query's difference, averaged over runs."""
    luck: float
    """Standard deviation between runs of the mean difference."""
    queries: int
    runs: int
    shared: float = 0.0
    """The part of their training queries that runs have in common."""

    @property
    def of_queries(self) -> float:
        return self.deviation**2 / self.queries

    @property
    def of_runs(self) -> float:
        return self.luck**2 / self.runs * overlap_factor(self.shared, self.runs) if self.luck else 0.0

    @property
    def error(self) -> float:
        """Standard error of the mean difference."""
        return math.sqrt(self.of_queries + self.of_runs)

    @property
    def freedom(self) -> float:
        """Those of the test, safe for few runs."""
        of_runs = [(self.of_runs, self.runs - 1)] if self.runs > 1 else []
        return degrees([(self.of_queries, self.queries - 1)], of_runs)


def least_difference(spread: Spread, alpha: float = 0.05, power: float = POWER, sides: int = 2) -> float:
    """The least true difference that is shown with a chance of `power`; infinite where runs share everything."""
    if not math.isfinite(spread.error):
        return math.inf
    critical = float(special.stdtrit(spread.freedom, 1 - alpha / sides))
    low, high = 0.0, critical + 50.0
    for _ in range(60):
        middle = (low + high) / 2
        shown = 1 - float(special.nctdtr(spread.freedom, middle, critical))
        low, high = (low, middle) if shown >= power else (middle, high)
    return high * spread.error


def least_margin(spread: Spread, alpha: float = 0.05, power: float = POWER) -> float:
    """The least margin that non-inferiority is shown by, with a chance of `power` when both are equally good."""
    return least_difference(spread, alpha, power, sides=1)


def runs_needed(spread: Spread, wanted: float, alpha: float, sides: int) -> int | None:
    """The least number of runs that shows a difference of `wanted` with these queries; None where no number up to
    `MOST_RUNS` does."""
    return _first(range(2, MOST_RUNS + 1), lambda runs: spread._replace(runs=runs), wanted, alpha, sides)


def queries_needed_with(spread: Spread, wanted: float, alpha: float, sides: int) -> int | None:
    """The least number of queries, to two digits, that shows a difference of `wanted` with these runs; None where no
    number up to `MOST_QUERIES` does."""
    sizes = [round(10 ** (1 + step / 40), -max(0, step // 40)) for step in range(201)]
    return _first([int(size) for size in sizes], lambda size: spread._replace(queries=size), wanted, alpha, sides)


def _first(
    counts: Iterable[int], changed: Callable[[int], Spread], wanted: float, alpha: float, sides: int
) -> int | None:
    return next((n for n in counts if least_difference(changed(n), alpha, sides=sides) <= wanted), None)
