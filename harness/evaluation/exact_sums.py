"""Numbers on a grid so coarse that sums are exact: the same in any order, on any number of threads, with ties kept as
ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_FINEST = 40
"""Values are told apart down to 2**-40 (1e-12), far below any real difference and far above rounding noise."""


def on_grid(values: NDArray[Any]) -> tuple[Array, float]:
    """`values` (n, m), n observations of m series, as whole numbers in float64, and the step that one of them stands
    for.

    Any sum of up to n entries of a column stays below 2**52 and so is exact, a matrix product included.
    """
    largest = float(np.abs(values).max(initial=0.0))
    room = 52 - len(values).bit_length() - int(np.frexp(largest)[1])
    step = float(np.ldexp(1.0, -min(_FINEST, room)))
    return np.rint(values / step), step
