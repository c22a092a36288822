"""The paired sign-flip randomisation test.

Under the null hypothesis each query's difference is as likely to have either sign (Fisher 1935; Smucker et al., CIKM
2007). With few queries all sign patterns are counted; otherwise a seeded sample of them is, with the observed one among
them (+1), so that p is never 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.evaluation.exact_sums import Array, on_grid
from harness.evaluation.significance.alternative import Alternative, extreme

FLIPS = 10_000
ALL_UP_TO = 24
"""With at most this many non-zero differences all 2**n sign patterns are counted."""
_BY_TABLE = 4
"""Columns up to which looking sums up is faster than a matrix product."""
_BLOCK = 1 << 18
"""Signs unpacked at a time, 8 bytes each: as many as stay in the cache."""


def flips_for(comparisons: int) -> int:
    """Sign patterns to draw for a family: as many that the least p, times the size of the family, is half of 0.05."""
    return max(FLIPS, 40 * comparisons)


def randomisation(differences: Array, seed: int, flips: int = FLIPS, side: Alternative = Alternative.both) -> Array:
    """p (m,) of the mean of each column of `differences` (n queries, m comparisons).

    A column's p depends on that column, the seed and `flips` only, not on its neighbours or on the number of threads.
    """
    whole, _ = on_grid(differences)
    few = np.count_nonzero(whole, axis=0) <= ALL_UP_TO
    p = np.empty(whole.shape[1])
    for column in np.nonzero(few)[0]:
        p[column] = _exact(whole[:, column], side)
    if not few.all():
        p[~few] = _sampled(whole[:, ~few], seed, flips, side)
    return p


def _exact(whole: Array, side: Alternative) -> float:
    """All patterns, met in the middle: sums of one half of the values are looked up among those of the other half.

    Sums on the grid move by at most half a step a query, so `slack` keeps those equal that are equal in exact
    arithmetic.
    """
    values, slack = whole[whole != 0], len(whole)
    half = len(values) // 2
    first, second = _sums(values[:half]), np.sort(_sums(values[half:]))
    observed = side.distance(values.sum())
    above = len(second) * len(first) - np.searchsorted(second, observed - slack - first, side="left").sum()
    # Sums lie symmetrically around 0, so on both sides together there are twice as many, but each pattern once.
    counted = above if side is not Alternative.both else min(2 * above, len(first) * len(second))
    return float(counted / (len(first) * len(second)))


def _sums(values: Array) -> Array:
    """Sums (2**n,) of `values` (n,) under all sign patterns."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def _sampled(whole: Array, seed: int, flips: int, side: Alternative) -> Array:
    observed = whole.sum(axis=0)
    counts = sum(extreme(sums, observed, side, len(whole)) for sums in flipped_sums(whole, seed, flips))
    return np.asarray((1 + counts) / (1 + flips))


def flipped_sums(whole: Array, seed: int, flips: int) -> Iterator[Array]:
    """Sums (rows, m) of the columns of `whole` (n, m) under sampled sign patterns, `flips` rows in blocks; the same for
    all columns."""
    packed = np.random.default_rng(seed).integers(0, 256, size=(flips, -(-len(whole) // 8)), dtype=np.uint8)
    if whole.shape[1] <= _BY_TABLE:
        yield np.column_stack([_looked_up(column, packed) for column in whole.T])
        return
    doubled, observed = 2 * whole, whole.sum(axis=0)
    rows = max(1, _BLOCK // len(whole))
    for start in range(0, flips, rows):
        kept = np.unpackbits(packed[start : start + rows], axis=1, count=len(whole)).astype(np.float64)
        yield kept @ doubled - observed


def _looked_up(column: Array, packed: NDArray[np.uint8]) -> Array:
    """The same sums (rows,) of one column: those of each eight queries under all 256 sign patterns, found by the byte
    that holds them."""
    signs = 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) - 1
    eights = np.zeros(8 * packed.shape[1])
    eights[: len(column)] = column
    table = eights.reshape(-1, 8) @ signs.T
    sums = np.zeros(len(packed))
    for known, patterns in zip(table, packed.T, strict=True):
        sums += known[patterns]
    return sums
