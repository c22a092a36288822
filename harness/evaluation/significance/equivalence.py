"""As good as: two one-sided tests."""

from __future__ import annotations

import numpy as np

from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.method_difference import difference_of, fixed_run


def equivalence(differences: Array, margin: float) -> Array:
    """p (m,) of the null hypothesis that the mean of a column (n queries, m comparisons) lies at least `margin` from 0.

    Two one-sided t tests (Schuirmann 1987); a small p says that b is as good as a, give or take `margin`. Raises
    UserError unless the margin is positive. 1 with a single query; (1 - margin)^n where all n queries are the same.
    """
    if not margin > 0:
        raise UserError(
            f"the equivalence margin is {margin:g}", remedy="give a difference that would not matter, for example 0.01"
        )
    still = fixed_run(np.zeros(len(differences)))
    return np.array([difference_of(fixed_run(column), still).p_within(margin) for column in differences.T])
