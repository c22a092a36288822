"""Intervals of a mean over queries by name: three bootstraps and Student's t."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError, did_you_mean
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import (
    SAMPLES,
    Interval,
    bootstrap_means,
    mean_intervals,
    studentised_means,
)

special = lazy("scipy.special")

LEVEL = 0.95
_CHUNK = 64
"""Columns whose samples are held at a time."""


def t_intervals(values: Array, seed: int = 0, samples: int = SAMPLES, level: float = LEVEL) -> list[Interval]:
    """Interval of the mean of each column of `values` (n queries, m series) by Student's t; `seed` and `samples` change
    nothing."""

    n = len(values)
    half = special.stdtrit(n - 1, (1 + level) / 2) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return [Interval(float(m - h), float(m + h)) for m, h in zip(values.mean(axis=0), half, strict=True)]


def bca_intervals(values: Array, seed: int, samples: int = SAMPLES, level: float = LEVEL) -> list[Interval]:
    """Bias-corrected and accelerated bootstrap interval (Efron, JASA 1987), the acceleration by the jackknife."""
    return [one for chunk in _chunks(values) for one in _bca(chunk, bootstrap_means(chunk, seed, samples), level)]


def _bca(values: Array, means: Array, level: float) -> list[Interval]:

    centre = values.mean(axis=0)
    off = values - centre
    noise = np.abs(centre) * 1e-12
    below = (np.count_nonzero(means < centre - noise, axis=0) + np.count_nonzero(means <= centre + noise, axis=0)) / (
        2 * len(means)
    )
    squares = (off**2).sum(axis=0)
    acceleration = (off**3).sum(axis=0) / (6 * np.where(squares > 0, squares, 1) ** 1.5)
    bias = special.ndtri(np.clip(below, 1 / (2 * len(means)), 1 - 1 / (2 * len(means))))
    found = []
    for column, (z, a) in enumerate(zip(bias, acceleration, strict=True)):
        ends = z + special.ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
        low, high = np.quantile(means[:, column], special.ndtr(z + ends / (1 - a * ends)))
        found.append(Interval(float(low), float(high)))
    return found


def studentised_intervals(
    values: Array, seed: int, samples: int = SAMPLES, level: float = LEVEL
) -> list[Interval | None]:
    """Bootstrap-t interval (Efron and Tibshirani 1993, 12.5); None where samples without any variance make it
    unbounded."""
    means, errors = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
    drawn = np.concatenate(
        [np.sort(studentised_means(chunk, seed, samples), axis=0) for chunk in _chunks(values)], axis=1
    )
    tail = round(samples * (1 - level) / 2)
    found = []
    for column, (mean, error) in enumerate(zip(means.tolist(), errors.tolist(), strict=True)):
        low, high = mean - drawn[-1 - tail, column] * error, mean - drawn[tail, column] * error
        found.append(Interval(float(low), float(high)) if np.isfinite([low, high]).all() else None)
    return found


def _chunks(values: Array) -> list[Array]:
    return [values[:, start : start + _CHUNK] for start in range(0, values.shape[1], _CHUNK)]


Intervals = Callable[[Array, int, int, float], "list[Interval] | list[Interval | None]"]
"""Of values (n, m), with seed, number of samples and level."""
INTERVALS: dict[str, Intervals] = {
    "percentile": mean_intervals,
    "bca": bca_intervals,
    "studentised": studentised_intervals,
    "t": t_intervals,
}


def intervals(name: str) -> Intervals:
    """The interval of that name. Raises UserError with the nearest known name."""
    if name not in INTERVALS:
        raise UserError(f"unknown interval '{name}'", remedy=did_you_mean(name, INTERVALS))
    return INTERVALS[name]
