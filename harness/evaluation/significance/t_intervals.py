"""t intervals of what was measured on many queries in a few runs: Satterthwaite's degrees of freedom over both parts of
the variance.

V = V_queries + V_runs, and t has V^2 / (V_queries^2 / (n - 1) + V_runs^2 / (u - 1)) degrees of freedom, with n queries
and u units of runs (Satterthwaite, Biometrics Bulletin 1946). A bootstrap interval has as many as there are numbers,
far too many where two runs say how much runs differ. Satterthwaite's are too many as well with two or three units:
where these happen to be alike, V is small and the degrees are many, both at once, and a true null is rejected in up to
12 % of cases. So the part of runs weighs more in the degrees (never in V), by as much as keeps that at 6 % (`caution`).

Runs that are equally good still differ on each query. That interaction is known from all queries, and V_runs is never
taken for less: otherwise two runs that happen to be alike would prove that luck with the draw does not matter. It is in
both parts, so intervals are too wide rather than too narrow where nothing else makes runs differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.evaluation.exact_sums import Array

special = lazy("scipy.special")


class Freedom(NamedTuple):
    """One less than there are queries, at least 1; one less than there are units of runs, 0 with a single one."""

    queries: int
    runs: int

    def shared(self, other: Freedom) -> Freedom:
        """Of what is made of both: the fewer; a single run has no spread that could be known badly."""
        known = [count for count in (self.runs, other.runs) if count]
        return Freedom(min(self.queries, other.queries), min(known, default=0))


@dataclass(frozen=True, eq=False)
class Samples:
    """Bootstrap samples (s, ...) of one thing: `queries` with queries drawn and runs as they are, `runs` the other way
    round, and `both`.

    Sample i of each comes from the same draws.
    """

    queries: Array
    runs: Array
    both: Array
    freedom: Freedom

    def each(self, function: Callable[[Array], Array]) -> Samples:
        """`function` of every part."""
        return Samples(function(self.queries), function(self.runs), function(self.both), self.freedom)

    def minus(self, other: Samples) -> Samples:
        """The difference, sample by sample."""
        parts = (self.queries - other.queries, self.runs - other.runs, self.both - other.both)
        return Samples(*parts, self.freedom.shared(other.freedom))


def stacked(parts: Sequence[Samples]) -> Samples:
    """Samples (s,) of several things from the same draws as columns: (s, p)."""
    queries, runs, both = (
        np.column_stack([getattr(one, name) for one in parts]) for name in ("queries", "runs", "both")
    )
    return Samples(queries, runs, both, reduce(Freedom.shared, (one.freedom for one in parts)))


class Bounds(NamedTuple):
    """Ends of intervals: arrays of one shape."""

    low: Array
    high: Array


def t_intervals(values: Array, samples: Samples, level: float = 0.95) -> Bounds:
    """Intervals of `values` (...) from their `samples` (s, ...), all of their width from the spread of these."""

    n, u = samples.freedom
    # A bootstrap of n of n numbers has (n - 1) / n of their variance; of runs one fewer is drawn, which has all of it.
    of_queries = _variance(samples.queries) * (n + 1) / n
    interaction = _variance(samples.both - samples.queries - samples.runs)
    of_runs = np.maximum(_variance(samples.runs), interaction) if u else np.zeros_like(of_queries)
    whole = of_queries + of_runs
    varies = whole > 0
    wary = caution(max(u, 1)) * of_runs
    parts = of_queries**2 / n + wary**2 / max(u, 1)
    freedom = np.where(varies, of_queries + wary, 1.0) ** 2 / np.where(varies, parts, 1.0)
    reach = special.stdtrit(freedom, (1 + level) / 2) * np.sqrt(whole)
    return Bounds(values - reach, values + reach)


def caution(freedom: int) -> float:
    """What the variance of runs weighs in the degrees of freedom, by its own: 7 with two units, 2.5 with three, 1 with
    many."""
    return 1 + 6 / freedom**2


def degrees(of_queries: Sequence[tuple[float, float]], of_runs: Sequence[tuple[float, int]]) -> float:
    """Degrees of freedom of t over parts of a variance, each with its own; 1 where nothing varies."""
    parts = [*of_queries, *((caution(own) * variance, own) for variance, own in of_runs)]
    whole = sum(variance for variance, _ in parts)
    below = sum(variance**2 / max(own, 1) for variance, own in parts)
    return whole**2 / below if below > 0 else 1.0


def _variance(samples: Array) -> Array:
    """Along the first axis; exactly 0 of what does not vary."""
    return np.asarray((samples - samples[0]).var(axis=0))
