"""Variance by source: how much of what a mean is uncertain by comes from queries, from resamples, from seeds, and from
nothing known.

Random effects, queries crossed with runs, seeds nested in resamples: y = mean + query + resample + seed(resample) +
query x resample + residual. Components by the method of moments: mean squares against their expectations, for unequal
numbers of seeds too (Searle, Casella and McCulloch 1992, 4.2 and 5.3; Henderson's method I). The tests hold them to
REML and to simulations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import units
from harness.evaluation.significance.hierarchical import Design

QUERIES, RESAMPLES, SEEDS, INTERACTION, RESIDUAL = "queries", "resamples", "seeds", "queries x resamples", "residual"
RUN_SOURCES = (RESAMPLES, SEEDS)
"""What makes one run of a method better than another on all queries."""


class VarianceSource(NamedTuple):
    """`variance` is of one value, one query in one run; `of_mean` is what it adds to the variance of the mean. Neither
    is negative."""

    name: str
    variance: float
    of_mean: float


@dataclass(frozen=True)
class Variance:
    """Sources that the runs of a method can tell apart. With one seed a resample, `resamples` holds what seeds add."""

    sources: tuple[VarianceSource, ...]

    @property
    def standard_error(self) -> float:
        """Of the mean, were queries, resamples and seeds all drawn anew."""
        return math.sqrt(math.fsum(source.of_mean for source in self.sources))

    @property
    def between_runs(self) -> float:
        """The part of the mean's variance that more queries would not lower."""
        return math.fsum(source.of_mean for source in self.sources if source.name in RUN_SOURCES)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the mean's variance by source; all 0 where there is no variance."""
        whole = math.fsum(source.of_mean for source in self.sources)
        return {source.name: source.of_mean / whole if whole else 0.0 for source in self.sources}

    @property
    def summary(self) -> str:
        """'queries 91%, resamples 6%, residual 3%', for people."""
        return ", ".join(f"{name} {share:.0%}" for name, share in self.shares.items())

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        shares = self.shares
        sources = [{**source._asdict(), "share": shares[source.name]} for source in self.sources]
        return {"standard_error": self.standard_error, "sources": sources}


def variance(values: Array, runs: Design) -> Variance | None:
    """Variance by source of `values` (n queries, runs); None with a single query or run. Estimates below 0 are 0.

    A seed counts as another seed in another resample, because the data that it orders is another.
    """
    if len(values) < 2 or values.shape[1] < 2:
        return None
    unit = np.array(units(runs), dtype=np.intp)
    if unit.max() + 1 == values.shape[1]:
        several = len({resample for resample, _ in runs}) > 1
        return _one_level(values, RESAMPLES if several else SEEDS)
    return _two_levels(values, unit)


def _one_level(values: Array, name: str) -> Variance:
    n, count = values.shape
    off = values - values.mean()
    by_query, by_run = off.mean(axis=1, keepdims=True), off.mean(axis=0, keepdims=True)
    of_queries = count * _square_sum(by_query) / (n - 1)
    of_runs = n * _square_sum(by_run) / (count - 1)
    rest = _square_sum(off - by_query - by_run) / ((n - 1) * (count - 1))
    found = [
        (QUERIES, (of_queries - rest) / count, 1 / n),
        (name, (of_runs - rest) / n, 1 / count),
        (RESIDUAL, rest, 1 / (n * count)),
    ]
    return _variance(found)


def _two_levels(values: Array, unit: NDArray[np.intp]) -> Variance:
    n, count = values.shape
    off = values - values.mean()
    sizes = np.bincount(unit).astype(np.float64)
    resamples, squared = len(sizes), float((sizes**2).sum()) / count
    typical = (count - squared) / (resamples - 1)
    """The number of seeds of a resample where all have as many."""
    cells = np.stack([off[:, unit == resample].mean(axis=1) for resample in range(resamples)], axis=1)
    by_query, by_run, by_resample = off.mean(axis=1, keepdims=True), off.mean(axis=0), cells.mean(axis=0)
    within = by_run - by_resample[unit]
    of_queries = count * _square_sum(by_query) / (n - 1)
    of_resamples = n * float((sizes * by_resample**2).sum()) / (resamples - 1)
    of_seeds = n * _square_sum(within) / (count - resamples)
    of_cells = float((sizes * (cells - by_query - by_resample) ** 2).sum()) / ((n - 1) * (resamples - 1))
    rest = _square_sum(off - cells[:, unit] - within) / ((n - 1) * (count - resamples))
    crossed = (of_cells - rest) / typical
    found = [
        (QUERIES, (of_queries - rest - squared * crossed) / count, 1 / n),
        (RESAMPLES, (of_resamples - of_cells - of_seeds + rest) / (n * typical), squared / count),
        (SEEDS, (of_seeds - rest) / n, 1 / count),
        (INTERACTION, crossed, squared / (count * n)),
        (RESIDUAL, rest, 1 / (n * count)),
    ]
    return _variance(found)


def _square_sum(values: Array) -> float:
    return float((values**2).sum())


def _variance(found: list[tuple[str, float, float]]) -> Variance:
    return Variance(
        tuple(VarianceSource(name, max(value, 0.0), max(value, 0.0) * factor) for name, value, factor in found)
    )
