"""Corrections of p values for a family of comparisons.

Written out because importing statsmodels takes 1.6 s, which every cached sweep would pay; the tests hold them to
statsmodels (1e-12).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.errors import UserError, did_you_mean
from harness.evaluation.exact_sums import Array


def _uncorrected(p: Array) -> Array:
    return p


def _bonferroni(p: Array) -> Array:
    """Family-wise error: p times the size of the family."""
    return p * len(p)


def _holm(p: Array) -> Array:
    """Family-wise error, uniformly more powerful than Bonferroni (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return adjusted


def _hochberg(p: Array) -> Array:
    """Family-wise error under independence or positive dependence, more powerful than Holm (Hochberg 1988)."""
    return _step_up(p, np.arange(1, len(p) + 1))


def _benjamini_hochberg(p: Array) -> Array:
    """False discovery rate under independence or positive dependence (Benjamini and Hochberg 1995)."""
    return _step_up(p, len(p) / np.arange(len(p), 0, -1))


def _benjamini_yekutieli(p: Array) -> Array:
    """False discovery rate under any dependence (Benjamini and Yekutieli 2001)."""
    return _benjamini_hochberg(p) * float((1 / np.arange(1, len(p) + 1)).sum())


def _step_up(p: Array, factors: Array | NDArray[np.int64]) -> Array:
    """The least of p times its factor from the largest p down to each; `factors` go with p from the largest."""
    order = np.argsort(p, kind="stable")[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(p[order] * factors)
    return adjusted


CORRECTIONS: dict[str, Callable[[Array], Array]] = {
    "holm": _holm,
    "hochberg": _hochberg,
    "bonferroni": _bonferroni,
    "bh": _benjamini_hochberg,
    "by": _benjamini_yekutieli,
    "none": _uncorrected,
}


def correction_of(name: str) -> Callable[[Array], Array]:
    """The correction of that name. Raises UserError with the nearest known name."""
    if name not in CORRECTIONS:
        raise UserError(f"unknown correction '{name}'", remedy=did_you_mean(name, CORRECTIONS))
    return CORRECTIONS[name]


def correct(p: Array, correction: str) -> Array:
    """Adjusted p values (k,) of a family of k comparisons, at most 1. Raises UserError on an unknown correction."""
    return np.minimum(correction_of(correction)(np.asarray(p, dtype=np.float64)), 1.0)


def correct_distinct(p: Array, correction: str, keys: Sequence[Hashable]) -> Array:
    """`correct` of a family in which comparisons with equal `keys` are one and the same, and count once."""
    first: dict[Hashable, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key, place)
    adjusted = dict(zip(first, correct(np.asarray(p)[list(first.values())], correction).tolist(), strict=True))
    return np.array([adjusted[key] for key in keys])
