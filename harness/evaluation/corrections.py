"""Corrections of p values for a family of comparisons.

Written out because importing statsmodels takes 1.6 s, which every cached sweep would pay; the tests hold them to statsmodels (1e-12).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.errors import UserError, did_you_mean
from harness.evaluation.grid import Array


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


def _benjamini_hochberg(p: Array) -> Array:
    """False discovery rate under independence or positive dependence (Benjamini and Hochberg 1995)."""
    order = np.argsort(p, kind="stable")[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1))
    return adjusted


CORRECTIONS: dict[str, Callable[[Array], Array]] = {
    "holm": _holm,
    "bh": _benjamini_hochberg,
    "bonferroni": _bonferroni,
    "none": _uncorrected,
}


def correct(p: Array, correction: str) -> Array:
    """Adjusted p values (k,) of a family of k comparisons, at most 1. Raises UserError on an unknown correction."""
    if correction not in CORRECTIONS:
        raise UserError(f"unknown correction '{correction}'", remedy=did_you_mean(correction, CORRECTIONS))
    return np.minimum(CORRECTIONS[correction](np.asarray(p, dtype=np.float64)), 1.0)
