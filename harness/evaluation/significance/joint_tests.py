"""Tests of a whole family at once: family-wise error is controlled by the largest result that chance gives, not by a
correction of p.

They use how the comparisons hang together, and so find more than Bonferroni or Holm where runs are alike.
"""

from __future__ import annotations

import numpy as np

from harness.evaluation.exact_sums import Array, on_grid
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.randomisation import FLIPS, flipped_sums

_BITS = 32
"""Of a 64-bit word: the low half holds a value, the high half the random key that the values of a query are shuffled
by."""


def tukey(values: Array, pairs: list[tuple[int, int]], seed: int, flips: int = FLIPS) -> Array:
    """p (k,) of `pairs` of columns of `values` (n queries, m runs): the two-way randomised form of Tukey's HSD,
    two-sided.

    In each sample the runs' values are shuffled within every query; a pair's p is how often the largest difference of
    any two means is at least that of the pair (Carterette, TOIS 2012, 4.2; Sakai 2018, 4.6), with +1.
    """
    # A shift of all runs on one query moves no difference, so whole numbers from 0 do; their sums are exact.
    shifted = values - values.min(axis=1, keepdims=True)
    whole = np.rint(shifted * ((2**_BITS - 1) / (shifted.max(initial=0.0) or 1.0))).astype(np.uint64)
    random = np.random.PCG64(seed)
    high, low = np.uint64((2**_BITS - 1) << _BITS), np.uint64(2**_BITS - 1)
    sums = np.zeros((flips, whole.shape[1]), np.uint64)
    for row in whole:
        words = random.random_raw(sums.size).reshape(sums.shape)
        words &= high
        words |= row
        words.sort(axis=1)
        words &= low
        sums += words
    ranges = np.sort((sums.max(axis=1) - sums.min(axis=1)).astype(np.float64))
    totals = whole.sum(axis=0).astype(np.float64)
    observed = np.array([abs(totals[b] - totals[a]) for a, b in pairs])
    # Rounding to whole numbers moves a difference of two sums by at most one a query.
    above = flips - np.searchsorted(ranges, observed - len(whole), side="left")
    return np.asarray((1 + above) / (1 + flips))


def max_t(differences: Array, seed: int, side: Alternative = Alternative.both, flips: int = FLIPS) -> Array:
    """Adjusted p (m,) of the columns of `differences` (n queries, m comparisons): step-down maxT over sign flips, with
    +1.

    All comparisons of a query are flipped together, which keeps their dependence (Westfall and Young 1993, 4.1; Boytsov
    et al., CIKM 2013). The statistic is sum / sqrt(sum of squares), which orders sign patterns as t does.
    """
    whole, _ = on_grid(differences)
    scale = np.sqrt((whole**2).sum(axis=0))
    scale[scale == 0] = 1.0
    observed = side.distance(whole.sum(axis=0)) / scale
    order = np.argsort(-observed, kind="stable")
    slack = (len(whole) / scale)[order]
    counts = np.zeros(len(order))
    for sums in flipped_sums(whole[:, order], seed, flips):
        drawn = side.distance(sums) / scale[order]
        largest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
        counts += np.count_nonzero(largest >= observed[order] - slack, axis=0)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate((1 + counts) / (1 + flips))
    return adjusted
