"""A t over queries and runs: is the mean difference of two configurations more than luck with queries and with draws?

D (n queries, u runs) are differences of the same query and the same resample. t = (mean - null) / sqrt(V_q + V_r): V_q
over queries, V_r over runs and never below the interaction, with Satterthwaite's degrees of freedom, as the intervals
of `harness.evaluation.significance.t_intervals`, from which a test has no p. Resamples that share queries tell V_r too
small, and it is multiplied by what they leave out (`overlap_factor`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.resample_overlap import overlap_factor

special = lazy("scipy.special")
_TINY = float(np.finfo(np.float64).tiny)


class MeanDifference(NamedTuple):
    """A mean difference and where its variance comes from."""

    mean: float
    of_queries: float
    """V_q: the part of the mean's variance that more queries would lower."""
    of_runs: float
    """V_r: the part that more resamples would lower, shared queries counted in; 0 with a single run, which does not
    know it."""
    queries: int
    runs: int
    shared: float | None
    """The part of the training queries that resamples share; None where it is not known, and nothing is corrected."""
    pooled_freedom: float | None = None
    """Degrees of freedom of a mean over several such differences."""

    @property
    def error(self) -> float:
        """The standard error."""
        return math.sqrt(self.of_queries + self.of_runs)

    @property
    def freedom(self) -> float:
        """Satterthwaite's degrees of freedom; infinite without any variance."""
        if self.pooled_freedom is not None:
            return self.pooled_freedom
        parts = self.of_queries**2 / max(self.queries - 1, 1) + self.of_runs**2 / max(self.runs - 1, 1)
        return (self.of_queries + self.of_runs) ** 2 / parts if parts else math.inf

    def above(self, null: float = 0.0) -> float:
        """One-sided p that the mean is not above `null`; never 0."""
        return self._tail(self.mean - null)

    def below(self, null: float = 0.0) -> float:
        """One-sided p that the mean is not below `null`; never 0."""
        return self._tail(null - self.mean)

    def two_sided(self) -> float:
        """Two-sided p that the mean is 0."""
        return min(1.0, 2 * min(self.above(), self.below()))

    def interval(self, level: float = 0.95) -> Interval:
        """Of the mean, from the same t."""
        reach = self.quantile((1 + level) / 2) * self.error if self.error else 0.0
        return Interval(self.mean - reach, self.mean + reach)

    def quantile(self, share: float) -> float:
        """Of t with these degrees of freedom."""
        return float(special.stdtrit(min(self.freedom, 1e12), share))

    def _tail(self, distance: float) -> float:
        if not math.isfinite(self.error):
            return 1.0
        if not self.error:
            return _TINY if distance > 0 else 1.0
        return max(float(special.stdtr(min(self.freedom, 1e12), -distance / self.error)), _TINY)


def mean_difference(differences: Array, shared: float | None = 0.0) -> MeanDifference:
    """`differences` (n queries, u runs), n at least 2. `shared` is the part of their training queries that the runs
    have in common; None is not known and corrects nothing."""
    n, u = differences.shape
    by_query, by_run = differences.mean(axis=1), differences.mean(axis=0)
    of_queries, of_runs = _variance(by_query) / n, 0.0
    if u > 1:
        # Exactly 0 of what does not vary.
        off = differences - differences[0, 0]
        rest = off - off.mean(axis=1, keepdims=True) - off.mean(axis=0) + off.mean()
        interaction = float((rest**2).sum()) / ((n - 1) * (u - 1)) / (n * u)
        between = _variance(by_run) / u
        of_runs = max(between * overlap_factor(shared or 0.0, u) if between else 0.0, interaction)
    return MeanDifference(float(differences.mean()), of_queries, of_runs, n, u, shared)


def pooled_difference(parts: Sequence[MeanDifference]) -> MeanDifference:
    """The mean of independent differences, each with the same weight; freedom by Satterthwaite over theirs."""
    k = len(parts)
    variances = [one.error**2 for one in parts]
    below = sum(value**2 / one.freedom for value, one in zip(variances, parts, strict=True) if value)
    return MeanDifference(
        mean=math.fsum(one.mean for one in parts) / k,
        of_queries=math.fsum(one.of_queries for one in parts) / k**2,
        of_runs=math.fsum(one.of_runs for one in parts) / k**2,
        queries=sum(one.queries for one in parts),
        runs=min(one.runs for one in parts),
        shared=None,
        pooled_freedom=sum(variances) ** 2 / below if below else math.inf,
    )


def _variance(values: Array) -> float:
    """Exactly 0 of what does not vary."""
    return float((values - values[0]).var(ddof=1))
