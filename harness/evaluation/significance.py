"""Paired tests over queries, effect sizes and intervals of a difference.

All functions take differences (n queries, m comparisons) in [-1, 1] or any other finite range and treat each column by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from harness.errors import UserError, did_you_mean
from harness.evaluation.bootstrap import Interval, bootstrap, mean_intervals
from harness.evaluation.grid import Array, on_grid
from harness.evaluation.randomisation import randomisation

SEED = 0
_LEAST = float(np.finfo(np.float64).tiny)
"""What is reported for a p that underflows: never 0."""


def _t(differences: Array, _seed: int) -> Array:
    from scipy.special import stdtr

    n = len(differences)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = differences.mean(axis=0) / (differences.std(axis=0, ddof=1) / np.sqrt(n))
    return np.asarray(np.nan_to_num(2 * stdtr(n - 1, -np.abs(t)), nan=1.0))


def _wilcoxon(differences: Array, _seed: int) -> Array:
    from scipy.stats import wilcoxon

    return np.array([wilcoxon(column).pvalue if column.any() else 1.0 for column in differences.T])


class PairedTest(NamedTuple):
    """A paired two-sided test and the interval of the mean difference that goes with it."""

    p: Callable[[Array, int], Array]
    intervals: Callable[[Array, int], list[Interval]]
    summary: str


def t_intervals(differences: Array, _seed: int = SEED, level: float = 0.95) -> list[Interval]:
    """Interval of the mean of each column by Student's t."""
    from scipy.special import stdtrit

    n = len(differences)
    half = stdtrit(n - 1, (1 + level) / 2) * differences.std(axis=0, ddof=1) / np.sqrt(n)
    return [Interval(float(m - h), float(m + h)) for m, h in zip(differences.mean(axis=0), half, strict=True)]


TESTS: dict[str, PairedTest] = {
    "randomisation": PairedTest(randomisation, mean_intervals, "sign flips of the differences; all of them with up to 16 that are not 0"),
    "t": PairedTest(_t, t_intervals, "Student's paired t"),
    "wilcoxon": PairedTest(_wilcoxon, mean_intervals, "Wilcoxon's signed ranks, queries without a difference left out"),
    "bootstrap": PairedTest(bootstrap, mean_intervals, "bootstrap of the centred differences"),
}


class Outcome(NamedTuple):
    """What a paired comparison says; `interval` and `effect_size` are None where they are not defined (one query, no variance)."""

    difference: float
    interval: Interval | None
    effect_size: float | None
    """Cohen's d_z: mean difference over the standard deviation of the differences."""
    p: float
    wins: int
    ties: int
    losses: int


def paired_test(name: str) -> PairedTest:
    """The test of that name. Raises UserError with the nearest known name."""
    if name not in TESTS:
        raise UserError(f"unknown test '{name}'", remedy=did_you_mean(name, TESTS))
    return TESTS[name]


def outcomes(differences: Array, test: str = "randomisation", seed: int = SEED) -> list[Outcome]:
    """One outcome for each column of `differences` (n queries, m comparisons); uncorrected p.

    Differences below 1e-12 are rounding noise and count as ties. Raises UserError on an unknown test or without queries.
    """
    chosen = paired_test(test)
    whole, step = on_grid(differences)
    values = whole * step
    n = len(values)
    if n == 0:
        raise UserError("there is no judged query to test on")
    p = np.clip(chosen.p(values, seed), _LEAST, 1.0) if n > 1 else np.ones(values.shape[1])
    intervals = chosen.intervals(values, seed) if n > 1 else [None] * values.shape[1]
    counts = [np.count_nonzero(sign, axis=0).tolist() for sign in (whole > 0, whole == 0, whole < 0)]
    means = (whole.sum(axis=0) * (step / n)).tolist()
    return [Outcome(*row) for row in zip(means, intervals, _effects(values), p.tolist(), *counts, strict=True)]


def _effects(values: Array) -> list[float | None]:
    means = values.mean(axis=0)
    deviations = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    noise = np.abs(means) * 1e-12
    return [_effect(float(m), float(s), float(e)) for m, s, e in zip(means, deviations, noise, strict=True)]


def _effect(mean: float, deviation: float, noise: float) -> float | None:
    if mean == 0:
        return 0.0
    return mean / deviation if deviation > noise else None
