"""The difference of two methods over queries and runs: what other queries, other draws of labels and other seeds would
make of it.

D[q, r] = b - a on query q in resample r, both from the same resample where both have it. t = mean(D) / sqrt(V_q + V_r):
V_q over queries (or clusters of them), V_r over resamples (seeds where there is one resample) and never below the
interaction of both; degrees of freedom by `t_intervals.degrees`. With one run each, which nothing random was in, it is
Student's paired t. Resamples that share a part of their training queries differ by too little: what is seen between
them is multiplied by `overlap_factor`; those that share all of them are one draw, and nothing is known of others.

A variance that was not seen is no knowledge. Where fewer than SIX differences are not 0, or all are the same, p is no
smaller than the signs of so few can make it (Fisher 1935), and identical queries prove no more than that such queries
are frequent: were a share m of all queries different, n identical ones would be seen with a chance of (1 - m)^n.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.bootstrap import Interval, units
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.hierarchical import Design
from harness.evaluation.significance.resample_overlap import overlap_factor
from harness.evaluation.significance.t_intervals import degrees

special = lazy("scipy.special")

SIX = 6
"""Differences that are not 0 from which on their signs alone can give p < 0.05: 2 / 2**6 = 0.03."""
_UNKNOWN = "luck with the draw may be told too small, and p with it"
_LEAST = float(np.finfo(np.float64).tiny)
_NOISE = 1e-12


class MethodRuns(NamedTuple):
    """Per-query values (n queries, runs) of a method with the resample and seed of each run; None where chance has no
    part in it. `shared` is the part of their training queries that its resamples have in common; None where nobody
    knows it, and nothing is corrected. `reach` is how far values of a query can lie apart, infinite where a metric has
    no bounds."""

    values: Array
    design: Design
    shared: float | None = 0.0
    reach: float = 1.0

    @property
    def is_random(self) -> bool:
        """Whether another run would give something else."""
        return any(part is not None for run in self.design for part in run)

    @property
    def has_resamples(self) -> bool:
        """Whether its units of runs are resamples: two or more."""
        return len({resample for resample, _ in self.design}) > 1

    @property
    def is_single(self) -> bool:
        """Whether chance has a part in it that its runs tell nothing of: one run, or resamples that are one draw."""
        one_draw = self.has_resamples and self.shared is not None and self.shared >= 1
        return self.is_random and (len(self.design) == 1 or one_draw)

    @property
    def factor(self) -> float:
        """What the variance between its resamples is multiplied by; 1 where that is not known, or they are one draw."""
        return _factor(self.shared, self._squares) if self.has_resamples else 1.0

    @property
    def _squares(self) -> float:
        return sum(share**2 for share in _shares(self).values())

    def without(self, resamples: Collection[int]) -> MethodRuns:
        """The runs of other resamples."""
        places = [place for place, (resample, _) in enumerate(self.design) if resample not in resamples]
        return self._replace(values=self.values[:, places], design=tuple(self.design[place] for place in places))


def unknown_overlap(methods: Collection[MethodRuns]) -> str:
    """What is to be said of methods whose resamples share nobody knows how much; empty where there are none."""
    count = sum(one.has_resamples and one.shared is None for one in methods)
    who = "one method" if count == 1 else f"{count} methods"
    return f"how many training queries the resamples of {who} share is not known: {_UNKNOWN}" if count else ""


def fixed_run(values: Array, reach: float = 1.0) -> MethodRuns:
    """One run (n,) that is taken as it is, of a metric whose values lie at most `reach` apart."""
    return MethodRuns(values[:, None], ((None, None),), reach=reach)


@dataclass(frozen=True)
class MeanDifference:
    """A difference with the variances of its mean and the degrees of freedom of its t."""

    difference: float
    of_queries: float
    of_runs: float
    freedom: float
    count: int
    """Queries, or clusters of them."""
    effective: float
    """The same, or fewer where clusters are of unequal size: one more than the variance over them has degrees."""
    nonzero: int
    """Those on which there is a difference."""
    is_single: bool
    """Whether one of both is a single run of a method that chance has a part in, or several of one draw: then nothing
    is known of methods."""
    reach: float = 1.0
    """How large a difference on one query can be."""
    runs: int = 1
    """Units of runs (resamples, or seeds of one) that it is over; the fewer of both where they are not paired."""
    shared: float | None = 0.0
    """The part of training queries in common that the variance between resamples was corrected for; None where it
    should be and is not known."""

    @property
    def error(self) -> float:
        """The standard error; 0 where nothing varies beyond rounding."""
        found = float(np.sqrt(self.of_queries + self.of_runs))
        return found if found > _NOISE * max(1.0, abs(self.difference)) else 0.0

    @property
    def variance(self) -> float:
        """Of the difference, over queries and runs."""
        return self.of_queries + self.of_runs

    def p(self, side: Alternative = Alternative.both) -> float:
        """Of the null hypothesis that there is no difference; 1 with a single query."""
        tails = 2 if side is Alternative.both else 1
        if self.count < 2 or self.nonzero == 0:
            return 1.0
        tail = self._tail(float(side.distance(self.difference)))
        return max(min(1.0, tails * max(tail, 0.5**self.nonzero)), _LEAST)

    def p_above(self, bound: float) -> float:
        """Of the null hypothesis that the true difference is at most `bound`."""
        if self.count < 2:
            return 1.0
        return max(self._tail(self.difference - bound), self._rarity(bound), _LEAST)

    def p_below(self, bound: float) -> float:
        """Of the null hypothesis that the true difference is at least `bound`."""
        if self.count < 2:
            return 1.0
        return max(self._tail(bound - self.difference), self._rarity(bound), _LEAST)

    def p_within(self, margin: float) -> float:
        """Of the null hypothesis that it is `margin` or more either way: two one-sided tests (Schuirmann 1987)."""
        return max(self.p_above(-margin), self.p_below(margin))

    def _tail(self, distance: float) -> float:
        if self.error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(special.stdtr(self.freedom, -distance / self.error))

    def _rarity(self, bound: float) -> float:
        """What few differences leave possible: no more than so many of `count` queries, if a share of them differs."""
        signs = 0.5**self.count
        if self.nonzero >= SIX or bound == 0:
            return signs if bound else 0.5**self.nonzero
        share = min(1.0, abs(bound) / self.reach)
        return max(signs, float(special.bdtr(self.nonzero, self.count, share)))

    def interval(self, level: float = 0.95) -> Interval | None:
        """The differences that the test leaves possible; None where nothing varies, or with one query."""
        if self.count < 2 or self.error == 0:
            return None
        reach = float(special.stdtrit(self.freedom, (1 + level) / 2)) * self.error
        low, high = self.difference - reach, self.difference + reach
        if 2 * 0.5**self.nonzero >= 1 - level:
            low, high = min(low, 0.0), max(high, 0.0)
        return Interval(low, high)


def difference_of(b: MethodRuns, a: MethodRuns, clusters: Clusters | None = None) -> MeanDifference:
    """`b` - `a`. Resamples are paired where both have the same ones in the same number, otherwise their draws count as
    independent."""
    mean = b.values.mean(axis=1) - a.values.mean(axis=1)
    seen = _by_cluster(mean[:, None], clusters)[:, 0]
    count, effective = len(seen), clusters.effective if clusters else float(len(seen))
    of_queries = float(seen.var(ddof=1)) / count if count > 1 else 0.0
    shared = _common([b, a])
    parts = _paired(b, a, clusters, shared) or [*_run_part(b, clusters), *_run_part(a, clusters)]
    of_runs = sum(variance for variance, _ in parts)
    flat = clusters.sums(mean[:, None])[:, 0] if clusters else mean
    return MeanDifference(
        difference=float(b.values.mean(axis=0).mean() - a.values.mean(axis=0).mean()),
        of_queries=of_queries,
        of_runs=of_runs,
        freedom=degrees([(of_queries, effective - 1)], parts),
        count=count,
        effective=effective,
        nonzero=int(np.count_nonzero(np.abs(flat) > _NOISE)),
        is_single=b.is_single or a.is_single,
        reach=max(b.reach, a.reach, float(np.abs(mean).max(initial=0.0))),
        runs=min((own + 1 for _, own in parts), default=1),
        shared=shared,
    )


def mean_of(one: MethodRuns, clusters: Clusters | None = None) -> MeanDifference:
    """The mean of a method, as its difference from 0."""
    return difference_of(one, fixed_run(np.zeros(len(one.values))), clusters)


def _common(methods: Sequence[MethodRuns]) -> float | None:
    """The part that resamples share: the larger of both methods' own; None where one does not know its."""
    parts = [one.shared for one in methods if one.has_resamples]
    known = [part for part in parts if part is not None]
    return None if len(known) < len(parts) else max(known, default=0.0)


def _factor(shared: float | None, squares: float) -> float:
    """`overlap_factor` of units whose squared shares of the mean sum to `squares`."""
    return 1.0 if shared is None or shared >= 1 else overlap_factor(shared, 1 / squares)


def _by_cluster(values: Array, clusters: Clusters | None) -> Array:
    return clusters.linearised(values) if clusters else values


def _shares(one: MethodRuns) -> dict[object, float]:
    """What each unit of runs (resample, or seed) counts in the mean, by its name."""
    names = [resample if one.has_resamples else (resample, seed) for resample, seed in one.design]
    return {name: names.count(name) / len(names) for name in dict.fromkeys(names)}


def _by_unit(one: MethodRuns) -> Array:
    """Values (n, units), the runs of a unit averaged."""
    unit = np.array(units(one.design))
    return np.stack([one.values[:, unit == number].mean(axis=1) for number in range(int(unit.max()) + 1)], axis=1)


def _paired(
    b: MethodRuns, a: MethodRuns, clusters: Clusters | None, shared: float | None
) -> list[tuple[float, int]] | None:
    """The part of runs where both have the same units; None where they have not."""
    if len(b.design) < 2 or len(a.design) < 2 or _shares(b) != _shares(a):
        return None
    of_a = dict(zip(_shares(a), _by_unit(a).T, strict=True))
    differences = np.stack(
        [column - of_a[name] for name, column in zip(_shares(b), _by_unit(b).T, strict=True)], axis=1
    )
    shares = list(_shares(b).values())
    factor = _factor(shared, sum(share**2 for share in shares)) if b.has_resamples else 1.0
    return _spread(differences, shares, factor, clusters)


def _run_part(one: MethodRuns, clusters: Clusters | None) -> list[tuple[float, int]]:
    if len(one.design) < 2:
        return []
    return _spread(_by_unit(one), list(_shares(one).values()), one.factor, clusters)


def _spread(
    values: Array, shares: Sequence[float], factor: float, clusters: Clusters | None
) -> list[tuple[float, int]]:
    """Variance of the weighted mean of units (n, units) between them times `factor`, at least that of their interaction
    with queries, and its degrees of freedom."""
    seen, weights = _by_cluster(values, clusters), np.array(shares)
    n, count = seen.shape
    means = seen.mean(axis=0)
    centre = float(weights @ means)
    squares = float((weights**2).sum())
    between = float(weights @ (means - centre) ** 2) / (1 - squares) * squares * factor
    rest = seen - (seen @ weights)[:, None] - means + centre
    interaction = float((rest**2).sum()) / (max(n - 1, 1) * (count - 1)) / n * squares
    return [(max(between, interaction), count - 1)]
