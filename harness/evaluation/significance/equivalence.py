"""As good as: two one-sided tests."""

from __future__ import annotations

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError
from harness.evaluation.exact_sums import Array

special = lazy("scipy.special")


def equivalence(differences: Array, margin: float) -> Array:
    """p (m,) of the null hypothesis that the mean of a column (n queries, m comparisons) lies at least `margin` from 0.

    Two one-sided t tests (Schuirmann 1987); a small p says that b is as good as a, give or take `margin`. Raises
    UserError unless the margin is positive. 1 with a single query.
    """

    if not margin > 0:
        raise UserError(
            f"the equivalence margin is {margin:g}", remedy="give a difference that would not matter, for example 0.01"
        )
    n = len(differences)
    if n < 2:
        return np.ones(differences.shape[1])
    means, errors = differences.mean(axis=0), differences.std(axis=0, ddof=1) / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        nearest = (margin - np.abs(means)) / errors
    # Without variance the mean is known: inside the margin or not.
    p = np.where(errors > 0, special.stdtr(n - 1, -nearest), np.where(np.abs(means) < margin, 0.0, 1.0))
    return np.clip(p, np.finfo(np.float64).tiny, 1.0)
