"""The paired sign-flip randomisation test.

Under the null hypothesis each query's difference is as likely to have either sign (Fisher 1935; Smucker et al., CIKM 2007). With few
queries all sign patterns are counted; otherwise a seeded sample of them is, with the observed one among them (+1), so that p is never 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.evaluation.grid import Array, on_grid

FLIPS = 10_000
_ALL_UP_TO = 16
"""With at most this many non-zero differences all 2**n sign patterns are counted."""
_BLOCK = 1 << 18
"""Signs unpacked at a time, 8 bytes each: as many as stay in the cache."""


def randomisation(differences: Array, seed: int, flips: int = FLIPS) -> Array:
    """Two-sided p (m,) of the mean of each column of `differences` (n queries, m comparisons).

    A column's p depends on that column, the seed and `flips` only, not on its neighbours or on the number of threads.
    """
    whole, _ = on_grid(differences)
    few = np.count_nonzero(whole, axis=0) <= _ALL_UP_TO
    p = np.empty(whole.shape[1])
    for column in np.nonzero(few)[0]:
        p[column] = _exact(whole[:, column])
    if not few.all():
        p[~few] = _sampled(whole[:, ~few], seed, flips)
    return p


def _exact(whole: Array) -> float:
    values = whole[whole != 0]
    patterns = np.arange(1 << len(values), dtype=np.uint32)[:, None] >> np.arange(len(values), dtype=np.uint32) & 1
    return float(_extreme(patterns.astype(np.float64), values[:, None])[0] / len(patterns))


def _sampled(whole: Array, seed: int, flips: int) -> Array:
    counts = sum(_extreme(kept, whole) for kept in _patterns(len(whole), seed, flips))
    return np.asarray((1 + counts) / (1 + flips))


def _patterns(queries: int, seed: int, flips: int) -> Iterator[Array]:
    packed = np.random.default_rng(seed).integers(0, 256, size=(flips, -(-queries // 8)), dtype=np.uint8)
    rows = max(1, _BLOCK // queries)
    for start in range(0, flips, rows):
        yield np.unpackbits(packed[start : start + rows], axis=1, count=queries).astype(np.float64)


def _extreme(kept: Array, whole: Array) -> Array:
    """How many sign patterns (rows of `kept`; 1 keeps, 0 flips) give a sum at least as far from 0 as the observed one, per column."""
    observed = whole.sum(axis=0)
    sums = 2 * (kept @ whole) - observed
    # Rounding to the grid moves a sum by at most half a step a query, so this keeps sums that are equal in exact arithmetic equal.
    return np.asarray(np.count_nonzero(np.abs(sums) >= np.abs(observed) - len(whole), axis=0), dtype=np.float64)
