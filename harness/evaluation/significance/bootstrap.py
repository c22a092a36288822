"""The bootstrap over queries, and over resamples and seeds: intervals and a paired test (Efron and Tibshirani 1993)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np

from harness.evaluation.exact_sums import Array, on_grid
from harness.evaluation.significance.alternative import Alternative, extreme

SAMPLES = 10_000
_BLOCK = 1 << 20
"""Drawn queries held at a time."""


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def _weights(size: int, seed: int, samples: int) -> Iterator[Array]:
    generator = np.random.default_rng(seed)
    rows = max(1, _BLOCK // size)
    for start in range(0, samples, rows):
        block = min(rows, samples - start)
        drawn = generator.integers(0, size, size=(block, size)) + size * np.arange(block)[:, None]
        yield np.bincount(drawn.ravel(), minlength=block * size).reshape(block, size).astype(np.float64)


def bootstrap_means(values: Array, seed: int, samples: int = SAMPLES) -> Array:
    """Means (samples, m) of the columns of `values` (n, m) over queries drawn with replacement, the same queries for
    all columns."""
    whole, step = on_grid(values)
    sums = np.concatenate([weights @ whole for weights in _weights(len(values), seed, samples)])
    return np.asarray(sums * (step / len(values)))


def percentile(means: Array, level: float = 0.95) -> list[Interval]:
    """Percentile interval of each column of bootstrapped `means` (samples, m), between samples by linear
    interpolation."""
    # Sorted as rows: several times as fast as numpy's quantiles of columns.
    ordered = np.sort(np.ascontiguousarray(means.T), axis=1)
    low, high = (_between(ordered, share) for share in ((1 - level) / 2, (1 + level) / 2))
    return [Interval(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]


def _between(ordered: Array, share: float) -> Array:
    place = share * (ordered.shape[1] - 1)
    below = int(place)
    above = min(below + 1, ordered.shape[1] - 1)
    return np.asarray(ordered[:, below] + (ordered[:, above] - ordered[:, below]) * (place - below))


def mean_intervals(values: Array, seed: int, samples: int = SAMPLES, level: float = 0.95) -> list[Interval]:
    """Interval of the mean of each column of `values` (n queries, m series), over queries."""
    return percentile(bootstrap_means(values, seed, samples), level)


def bootstrap(differences: Array, seed: int, samples: int = SAMPLES, side: Alternative = Alternative.both) -> Array:
    """p (m,) of the mean of each column (n queries, m comparisons) by the shift method, with +1 so that p is never 0.

    The differences are centred, as the null hypothesis has them, and their means bootstrapped (Smucker et al., CIKM
    2007, 2.3).
    """
    observed = differences.mean(axis=0)
    centred, step = on_grid(differences - observed)
    counts = np.zeros(differences.shape[1])
    for weights in _weights(len(differences), seed, samples):
        counts += extreme((weights @ centred) * (step / len(differences)), observed, side, slack=step * 2)
    return np.asarray((1 + counts) / (1 + samples))


def studentised_means(values: Array, seed: int, samples: int = SAMPLES) -> Array:
    """(samples, m) of (bootstrapped mean - mean) / standard error of that sample, for the columns of `values` (n, m).

    Infinite with the sign of the difference where a sample has no variance, 0 where there is no difference either.
    """
    n = len(values)
    centred = values - values.mean(axis=0)
    (whole, step), (squares, square_step) = on_grid(centred), on_grid(centred**2)
    drawn = []
    for weights in _weights(n, seed, samples):
        means = (weights @ whole) * (step / n)
        variances = np.maximum((weights @ squares) * (square_step / n) - means**2, 0.0) / (n - 1)
        # A sample of one value over and over has a variance of rounding noise only.
        flat = variances <= (step + np.abs(means) * 1e-12) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn.append(
                np.where(
                    flat, np.where(np.abs(means) <= step, 0.0, np.copysign(np.inf, means)), means / np.sqrt(variances)
                )
            )
    return np.concatenate(drawn)


def bootstrap_t(differences: Array, seed: int, samples: int = SAMPLES, side: Alternative = Alternative.both) -> Array:
    """p (m,) by the studentised bootstrap of the centred differences, with +1 (Efron and Tibshirani 1993, 16.4)."""
    errors = differences.std(axis=0, ddof=1) / np.sqrt(len(differences))
    means = differences.mean(axis=0)
    flat = errors <= np.abs(means) * 1e-12
    observed = np.where(
        flat, np.where(means == 0, 0.0, np.copysign(np.inf, means)), means / np.where(flat, 1.0, errors)
    )
    counts = extreme(studentised_means(differences, seed, samples), observed, side, slack=1e-9)
    return np.asarray((1 + counts) / (1 + samples))


def units(runs: Sequence[tuple[object, object]]) -> list[int]:
    """For each run the number of its unit: what is drawn. That is its resample, or its seed where all runs have one
    resample."""
    resamples = list(dict.fromkeys(resample for resample, _ in runs))
    return [resamples.index(resample) for resample, _ in runs] if len(resamples) > 1 else list(range(len(runs)))


def run_weights(runs: Sequence[tuple[object, object]], seed: int, samples: int = SAMPLES) -> Array:
    """Weights (samples, runs), rows summing to 1; the same for every method with the same runs, so that differences
    stay paired.

    Of u units u - 1 are drawn with replacement: with u, the variance of a mean of so few would come out (u - 1) / u of
    what it is, half with two resamples (Rao and Wu, JASA 1988). Runs weigh alike, as in their mean: a resample with two
    seeds counts twice.
    """
    unit = np.array(units(runs))
    count = int(unit.max()) + 1
    if count == 1:
        return np.ones((samples, 1))
    # A stream of its own for each design: with a shared one, draws of runs would depend on draws of queries or of
    # another method's runs.
    generator = np.random.default_rng((seed, crc32(repr(list(runs)).encode())))
    drawn = generator.multinomial(count - 1, np.full(count, 1 / count), size=samples)[:, unit]
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))
