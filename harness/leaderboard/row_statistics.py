"""Numbers of a table: means and intervals of every row, and paired tests of rows against their baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval, percentile
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.hierarchical import Sampled, hierarchical_means
from harness.evaluation.significance.randomisation import randomisation
from harness.leaderboard.board_model import BaselineComparison, Estimate
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
    one query, `values` per-query values of each run (queries, runs).
    """

    estimates: dict[int, Estimate]
    means: dict[int, Array]
    samples: dict[int, Array]
    values: dict[int, Array] = field(repr=False)


def measure(found: Sequence[Configuration], metric: str, queries: list[str], seed: int = SEED) -> Measured:
    """`metric` for every configuration whose runs all have it; queries that a run lacks count 0."""
    rows = [row for row, one in enumerate(found) if all(metric in run.scores for run in one.runs)]
    values = {
        row: np.column_stack([aligned_values(run.scores[metric], queries) for run in found[row].runs]) for row in rows
    }
    drawn: dict[int, Sampled] = {}
    if len(queries) > 1 and rows:
        drawn = dict(
            zip(
                rows,
                hierarchical_means(list(values.values()), [found[row].design for row in rows], seed, SAMPLES),
                strict=True,
            )
        )
    intervals = _intervals({row: one.means for row, one in drawn.items()})
    over_runs = _intervals({row: one.runs for row, one in drawn.items() if one.runs is not None})
    estimates = {row: _estimate(values[row], intervals.get(row), over_runs.get(row)) for row in rows}
    means = {row: group.mean(axis=1) for row, group in values.items()}
    return Measured(estimates, means, {row: one.means for row, one in drawn.items()}, values)


def _intervals(samples: Mapping[int, Array]) -> dict[int, Interval]:
    return dict(zip(samples, percentile(np.column_stack(list(samples.values()))), strict=True)) if samples else {}


def _estimate(values: Array, interval: Interval | None, over_runs: Interval | None) -> Estimate:
    means = [math.fsum(column) / len(column) for column in values.T.tolist()]
    deviation = float(np.std(means, ddof=1)) if len(means) > 1 else None
    return Estimate(math.fsum(means) / len(means), interval, over_runs, deviation)


def compare(
    measured: Measured, baselines: Mapping[int, int], names: Sequence[str], seed: int = SEED
) -> dict[int, BaselineComparison]:
    """Each row (key) against its baseline row (value): sign-flip randomisation, Holm over all of them."""
    rows = list(baselines)
    if not rows:
        return {}
    differences = np.column_stack([measured.means[row] - measured.means[baselines[row]] for row in rows])
    p = randomisation(differences, seed)
    adjusted = correct(p, "holm")
    drawn = [measured.samples[row] - measured.samples[baselines[row]] for row in rows if row in measured.samples]
    intervals = percentile(np.column_stack(drawn)) if drawn else [None] * len(rows)
    numbers = zip(rows, intervals, p.tolist(), adjusted.tolist(), strict=True)
    return {
        row: BaselineComparison(names[baselines[row]], _difference(measured, row, baselines[row]), *rest)
        for row, *rest in numbers
    }


def _difference(measured: Measured, row: int, baseline: int) -> float:
    return measured.estimates[row].mean - measured.estimates[baseline].mean
