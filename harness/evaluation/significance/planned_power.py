"""What a comparison over queries and runs could show before it runs: the least difference, the least margin, and how
many runs or queries it would take.

The test is the t of `method_difference`; where the difference is real it is noncentral. A margin is that of
non-inferiority when there is no difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.method_difference import MeanDifference
from harness.evaluation.significance.power import ALPHA, POWER, detectable_shift
from harness.evaluation.significance.resample_overlap import overlap_factor
from harness.evaluation.significance.t_intervals import degrees

MOST_RUNS = 50
MOST_QUERIES = 1_000_000
_SIDES = {1: Alternative.greater, 2: Alternative.both}


class Spread(NamedTuple):
    """What differences vary by, and how often they are measured."""

    deviation: float
    """Of a query's difference (a cluster's, where queries are in clusters), averaged over runs."""
    luck: float
    """Standard deviation between runs of the mean difference, as seen where they share `shared`."""
    queries: int
    """Queries, or as many clusters of one size as vary as much: what is independent."""
    runs: int
    shared: float = 0.0
    """The part of their training queries that runs have in common."""

    @classmethod
    def of(cls, found: MeanDifference) -> Spread:
        """Of a comparison that was made."""
        factor = overlap_factor(found.shared or 0.0, found.runs) if found.runs > 1 else 1.0
        luck = math.sqrt(found.of_runs * found.runs / factor) if math.isfinite(factor) else math.inf
        queries = round(found.effective)
        return cls(math.sqrt(found.of_queries * queries), luck, queries, found.runs, found.shared or 0.0)

    @property
    def of_queries(self) -> float:
        """What queries add to the variance of the mean."""
        return self.deviation**2 / self.queries

    @property
    def of_runs(self) -> float:
        """What runs add."""
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


def least_difference(spread: Spread, alpha: float = ALPHA, power: float = POWER, sides: int = 2) -> float:
    """The least true difference that is shown with a chance of `power`; infinite where runs share everything."""
    if not math.isfinite(spread.error):
        return math.inf
    return detectable_shift(spread.freedom, power, alpha, _SIDES[sides]) * spread.error if spread.error else 0.0


def least_margin(spread: Spread, alpha: float = ALPHA, power: float = POWER) -> float:
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
