"""The t over queries and runs of a claim: that of the board (`harness.evaluation.significance.method_difference`), with
what resamples that share queries leave out of the variance between them.

D (n queries, u runs) are differences of the same query and the same resample; V_r is multiplied by `overlap_factor` and
never below the interaction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of, fixed_run
from harness.evaluation.significance.resample_overlap import overlap_factor
from harness.evaluation.significance.t_intervals import degrees


@dataclass(frozen=True)
class PairedDifference:
    """A mean difference and where its variance comes from."""

    test: MeanDifference
    queries: int
    runs: int
    shared: float | None
    """The part of the training queries that resamples share; None where it is not known, and nothing is corrected."""

    @property
    def mean(self) -> float:
        """Over queries and runs."""
        return self.test.difference

    @property
    def of_queries(self) -> float:
        """V_q: the part of the mean's variance that more queries would lower."""
        return self.test.of_queries

    @property
    def of_runs(self) -> float:
        """V_r: the part that more resamples would lower; 0 with a single run, which does not know it, infinite where
        resamples share all their queries."""
        return self.test.of_runs

    @property
    def error(self) -> float:
        """The standard error."""
        return self.test.error

    @property
    def freedom(self) -> float:
        """Satterthwaite's degrees of freedom, safe for few runs."""
        return self.test.freedom

    def above(self, null: float = 0.0) -> float:
        """One-sided p that the mean is not above `null`; never 0."""
        return self.test.p_above(null) if math.isfinite(self.of_runs) else 1.0

    def below(self, null: float = 0.0) -> float:
        """One-sided p that the mean is not below `null`; never 0."""
        return self.test.p_below(null) if math.isfinite(self.of_runs) else 1.0

    def two_sided(self) -> float:
        """Two-sided p that the mean is 0."""
        return min(1.0, 2 * min(self.above(), self.below()))

    def interval(self) -> Interval:
        """95 %, from the same t; the mean alone where nothing varies."""
        if not math.isfinite(self.of_runs):
            return Interval(-math.inf, math.inf)
        return self.test.interval() or Interval(self.mean, self.mean)


def mean_difference(differences: Array, shared: float | None = 0.0) -> PairedDifference:
    """`differences` (n queries, u runs), n at least 2. `shared` is the part of their training queries that the runs
    have in common; None is not known and corrects nothing."""
    n, u = differences.shape
    design = tuple((run, None) for run in range(u)) if u > 1 else ((None, None),)
    test = difference_of(MethodRuns(differences, design), fixed_run(np.zeros(n)))
    factor = overlap_factor(shared or 0.0, u)
    if u > 1 and factor > 1:
        test = _widened(test, factor * float(differences.mean(axis=0).var(ddof=1)) / u, n, u)
    return PairedDifference(test, n, u, shared)


def _widened(test: MeanDifference, between: float, queries: int, runs: int) -> MeanDifference:
    """With `between` as the variance between runs, where that is more."""
    if not between > test.of_runs:
        return test
    if not math.isfinite(between):
        return replace(test, of_runs=math.inf, freedom=1.0)
    freedom = degrees([(test.of_queries, queries - 1)], [(between, runs - 1)])
    return replace(test, of_runs=between, freedom=freedom)


def pooled_difference(parts: Sequence[PairedDifference]) -> PairedDifference:
    """The mean of independent differences, each with the same weight; freedom by Satterthwaite over theirs."""
    k = len(parts)
    variances = [one.error**2 for one in parts]
    below = sum(value**2 / one.freedom for value, one in zip(variances, parts, strict=True) if value)
    test = MeanDifference(
        difference=math.fsum(one.mean for one in parts) / k,
        of_queries=math.fsum(one.of_queries for one in parts) / k**2,
        of_runs=math.fsum(one.of_runs for one in parts) / k**2,
        freedom=sum(variances) ** 2 / below if below else 1.0,
        count=sum(one.test.count for one in parts),
        nonzero=sum(one.test.nonzero for one in parts),
        is_single=any(one.test.is_single for one in parts),
        reach=max(one.test.reach for one in parts),
    )
    return PairedDifference(test, sum(one.queries for one in parts), min(one.runs for one in parts), None)
