"""One-sided and two-sided: which results count as at least as extreme as the observed one."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.evaluation.exact_sums import Array


class Alternative(StrEnum):
    """The alternative to 'no difference' of b from a: another mean, a greater one, a lesser one. The names are
    scipy's."""

    both = "two-sided"
    greater = "greater"
    less = "less"

    def distance(self, value: Any) -> Any:
        """How far `value` (a number or an array) lies in the direction of the alternative."""
        return {Alternative.both: np.abs, Alternative.greater: np.positive, Alternative.less: np.negative}[self](value)


def extreme(drawn: Array, observed: Array, side: Alternative, slack: float | Array = 0.0) -> NDArray[np.int64]:
    """How many rows of `drawn` (rows, m) lie at least as far out as `observed` (m,), per column; `slack` forgives
    rounding."""
    return np.asarray(np.count_nonzero(side.distance(drawn) >= side.distance(observed) - slack, axis=0))
