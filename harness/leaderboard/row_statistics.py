"""Numbers of a table: means and intervals of every row, and paired tests of rows against their baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.metrics.lookup import bounds, reach
from harness.evaluation.significance.bootstrap import Interval, percentile
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.corrections import correct, correct_distinct
from harness.evaluation.significance.hierarchical import Sampled, hierarchical_means
from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of, mean_of
from harness.evaluation.significance.pair_statistics import verdict
from harness.evaluation.significance.paired_tests import FEW_QUERIES
from harness.evaluation.significance.randomisation import flips_for, randomisation
from harness.leaderboard.board_model import ALPHA, AllBaselines, BaselineComparison, Estimate
from harness.leaderboard.configuration import Configuration
from harness.leaderboard.query_values import aligned_values, ids
from harness.published.result_folder import Published

SEED = 0
SAMPLES = 2_000
"""Bootstrap samples behind an interval."""


def queries_of(runs: Sequence[Published]) -> list[str]:
    """All queries that any of the runs was evaluated on, in the order of their ids."""
    seen = {ids(values) for run in runs for values in run.scores.values()}
    return sorted(set().union(*seen))


@dataclass(frozen=True)
class Measured:
    """One metric of the configurations that have it, by their number.

    `means` holds per-query values (queries,) averaged over runs, `samples` bootstrapped means (SAMPLES,), absent with
    one query, `runs` per-query values of each run (queries, runs) with its resample and seed. Samples and tests are
    over `clusters` of queries where there are some.
    """

    estimates: dict[int, Estimate]
    means: dict[int, Array]
    samples: dict[int, Array]
    runs: dict[int, MethodRuns] = field(repr=False)
    clusters: Clusters | None = field(default=None, repr=False)

    def difference(self, row: int, baseline: int) -> MeanDifference:
        """`row` against `baseline` over queries and runs."""
        return difference_of(self.runs[row], self.runs[baseline], self.clusters)


def measure(
    found: Sequence[Configuration],
    metric: str,
    queries: list[str],
    seed: int = SEED,
    clusters: Clusters | None = None,
) -> Measured:
    """`metric` for every configuration whose runs all have it; queries that a run lacks count 0."""
    rows = [row for row, one in enumerate(found) if all(metric in run.scores for run in one.runs)]
    runs = {row: method_runs(found[row], metric, queries) for row in rows}
    independent = clusters.count if clusters else len(queries)
    drawn: dict[int, Sampled] = {}
    if independent > 1 and rows:
        seen = [clusters.linearised(one.values) if clusters else one.values for one in runs.values()]
        designs, factors = [one.design for one in runs.values()], [one.factor for one in runs.values()]
        drawn = dict(zip(rows, hierarchical_means(seen, designs, seed, SAMPLES, factors), strict=True))
    intervals = _intervals({row: one.means for row, one in drawn.items()})
    if independent < FEW_QUERIES:
        intervals = {row: one for row in drawn if (one := _t_interval(runs[row], metric, clusters)) is not None}
    over_runs = _intervals({row: one.runs for row, one in drawn.items() if one.runs is not None})
    estimates = {row: _estimate(runs[row].values, intervals.get(row), over_runs.get(row)) for row in rows}
    means = {row: one.values.mean(axis=1) for row, one in runs.items()}
    return Measured(estimates, means, {row: one.means for row, one in drawn.items()}, runs, clusters)


def method_runs(one: Configuration, metric: str, queries: list[str]) -> MethodRuns:
    """The runs of a configuration that all have `metric`, with what their resamples share; queries that a run lacks
    count 0."""
    values = np.column_stack([aligned_values(run.scores[metric], queries) for run in one.runs])
    return MethodRuns(values, one.design, one.shared, reach(metric))


def _t_interval(runs: MethodRuns, metric: str, clusters: Clusters | None) -> Interval | None:
    """As ``harness compare --group`` has it, cut at what the metric can be; bootstraps of few queries are narrow."""
    found, (least, most) = mean_of(runs, clusters).interval(), bounds(metric)
    return None if found is None else Interval(max(found.low, least), min(found.high, most))


def _intervals(samples: Mapping[int, Array]) -> dict[int, Interval]:
    return dict(zip(samples, percentile(np.column_stack(list(samples.values()))), strict=True)) if samples else {}


def _estimate(values: Array, interval: Interval | None, over_runs: Interval | None) -> Estimate:
    means = [math.fsum(column) / len(column) for column in values.T.tolist()]
    deviation = float(np.std(means, ddof=1)) if len(means) > 1 else None
    return Estimate(math.fsum(means) / len(means), interval, over_runs, deviation)


def rank_intervals(samples: Mapping[int, Array], level: float = 0.95) -> dict[int, tuple[int, int]]:
    """First and last place of each row in `level` of the bootstrapped means (SAMPLES,), which come from the same draws;
    rows with equal means share the better place."""
    if not samples:
        return {}
    means = np.column_stack(list(samples.values()))
    ranks = _places(means)
    low = np.quantile(ranks, (1 - level) / 2, axis=0, method="lower")
    high = np.quantile(ranks, (1 + level) / 2, axis=0, method="higher")
    return {row: (int(a), int(b)) for row, a, b in zip(samples, low, high, strict=True)}


def _places(means: Array) -> np.ndarray:
    """The place of each column in every row, the largest first, as ``scipy.stats.rankdata(-means, "min", axis=1)``,
    whose package takes half a second to import."""
    order = np.argsort(-means, axis=1, kind="stable")
    sorted_means = np.take_along_axis(means, order, axis=1)
    first = np.ones(means.shape, dtype=bool)
    first[:, 1:] = sorted_means[:, 1:] != sorted_means[:, :-1]
    places: np.ndarray = np.empty(means.shape, dtype=np.int64)
    starts = np.maximum.accumulate(np.where(first, np.arange(means.shape[1]), 0), axis=1)
    np.put_along_axis(places, order, starts + 1, axis=1)
    return places


def compare(
    measured: Measured, pairs: Sequence[tuple[int, int]], names: Sequence[str], seed: int = SEED
) -> list[BaselineComparison]:
    """Each pair of a row and its baseline: t over queries and runs, and sign flips over queries with these runs; Holm
    over all of them, rows of identical runs counted once."""
    if not pairs:
        return []
    differences = np.column_stack([measured.means[row] - measured.means[other] for row, other in pairs])
    flat = measured.clusters.sums(differences) if measured.clusters else differences
    of_runs = randomisation(flat, seed, flips_for(len(pairs)))
    keys = identical(measured, pairs)
    of_runs_adjusted = correct_distinct(of_runs, "holm", keys)
    spread = [measured.difference(row, other) for row, other in pairs]
    of_methods = [None if one.is_single else one.p() for one in spread]
    known = [place for place, p in enumerate(of_methods) if p is not None]
    adjusted: dict[int, float] = {}
    if known:
        p = np.array([of_methods[place] for place in known], dtype=np.float64)
        corrected = correct_distinct(p, "holm", [keys[place] for place in known])
        adjusted = dict(zip(known, corrected.tolist(), strict=True))
    return [
        BaselineComparison(
            baseline=names[other],
            difference=measured.estimates[row].mean - measured.estimates[other].mean,
            interval=spread[place].interval(),
            p=of_methods[place],
            p_adjusted=adjusted.get(place),
            p_runs=float(of_runs[place]),
            p_runs_adjusted=float(of_runs_adjusted[place]),
        )
        for place, (row, other) in enumerate(pairs)
    ]


def identical(measured: Measured, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """A key for each pair; equal for pairs of rows whose values are the same to the last bit."""
    known: dict[bytes, int] = {}
    numbers = {row: known.setdefault(one.values.tobytes(), len(known)) for row, one in measured.runs.items()}
    return [(numbers[row], numbers[other]) for row, other in pairs]


def against_all(rows: Sequence[Sequence[BaselineComparison]]) -> list[AllBaselines]:
    """Each row's comparisons with several baselines as one: intersection-union (the largest p; Berger 1982), with Holm
    over the rows, and what Holm over all comparisons says of any of them."""
    largest = [_largest(one) for one in rows]
    known = np.array([p for p in largest if p is not None])
    adjusted = iter(correct(known, "holm").tolist() if len(known) else [])
    found = []
    for compared, p in zip(rows, largest, strict=True):
        corrected = None if p is None else next(adjusted)
        holds_zero = any(one.interval and one.interval.low <= 0 <= one.interval.high for one in compared)
        said = verdict(compared[0].difference, (0.0, 0.0) if holds_zero else None, corrected, ALPHA)
        least = min((one.p_adjusted for one in compared if one.p_adjusted is not None), default=None)
        found.append(AllBaselines(corrected, least, "" if said == "inconclusive" else said))
    return found


def _largest(compared: Sequence[BaselineComparison]) -> float | None:
    known = [one.p for one in compared if one.p is not None]
    if len(known) < len(compared):
        return None
    return max(known) if len({one.difference > 0 for one in compared}) == 1 else 1.0
