"""Numbers of a table: means and intervals of every row, and paired tests of rows against their baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.board.configuration import Configuration
from harness.board.model import Against, Estimate
from harness.board.values import column, ids
from harness.evaluation.bootstrap import Interval, bootstrap_means, percentile, run_weights
from harness.evaluation.corrections import correct
from harness.evaluation.grid import Array
from harness.evaluation.randomisation import randomisation
from harness.published.folders import Published

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

    `means` holds per-query values (queries,) averaged over runs, `samples` bootstrapped means (SAMPLES,), absent with one query.
    """

    estimates: dict[int, Estimate]
    means: dict[int, Array]
    samples: dict[int, Array]


def measure(found: Sequence[Configuration], metric: str, queries: list[str], seed: int = SEED) -> Measured:
    """`metric` for every configuration whose runs all have it; queries that a run lacks count 0."""
    rows = [row for row, one in enumerate(found) if all(metric in run.scores for run in one.runs)]
    columns = [[column(run.scores[metric], queries) for run in found[row].runs] for row in rows]
    samples = dict(zip(rows, _samples(columns, seed), strict=True)) if len(queries) > 1 and rows else {}
    weights = {row: _run_weights(found[row], seed) for row in rows if len(found[row].runs) > 1}
    drawn = {row: (samples[row] * weights[row]).sum(axis=1) if row in weights else samples[row][:, 0] for row in samples}
    intervals = dict(zip(drawn, percentile(np.column_stack(list(drawn.values()))), strict=True)) if drawn else {}
    estimates = {row: _estimate(group, intervals.get(row), weights.get(row)) for row, group in zip(rows, columns, strict=True)}
    return Measured(estimates, {row: np.mean(group, axis=0) for row, group in zip(rows, columns, strict=True)}, drawn)


def _samples(columns: list[list[Array]], seed: int) -> list[Array]:
    """Bootstrapped means (SAMPLES, runs) of each row's runs, from the same draws of queries for all."""
    drawn = bootstrap_means(np.column_stack([column for group in columns for column in group]), seed, SAMPLES)
    return np.split(drawn, np.cumsum([len(group) for group in columns])[:-1], axis=1)


def _run_weights(one: Configuration, seed: int) -> Array:
    return _weights(tuple((run.card.resample, run.card.seed) for run in one.runs), seed)


@lru_cache(maxsize=256)
def _weights(runs: tuple[tuple[int | None, int | None], ...], seed: int) -> Array:
    return run_weights(runs, seed, SAMPLES)


def _estimate(columns: list[Array], interval: Interval | None, weights: Array | None) -> Estimate:
    means = [math.fsum(column) / len(column) for column in columns]
    mean = math.fsum(means) / len(means)
    if weights is None:
        return Estimate(mean, interval)
    runs_interval = percentile((weights @ np.array(means))[:, None])[0]
    return Estimate(mean, interval, runs_interval, float(np.std(means, ddof=1)))


def compare(measured: Measured, baselines: Mapping[int, int], names: Sequence[str], seed: int = SEED) -> dict[int, Against]:
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
    return {row: Against(names[baselines[row]], _difference(measured, row, baselines[row]), *rest) for row, *rest in numbers}


def _difference(measured: Measured, row: int, baseline: int) -> float:
    return measured.estimates[row].mean - measured.estimates[baseline].mean
