"""What a number of queries can show: power of the paired t test, the least difference it would find, the queries that
one needs.

For a planned comparison of one pair; a corrected family needs more. The distribution is the noncentral t; the paired
tests here differ little in power.
"""

from __future__ import annotations

import math
from functools import lru_cache

from harness._lazy import lazy
from harness.evaluation.significance.alternative import Alternative

special = lazy("scipy.special")

ALPHA = 0.05
POWER = 0.8
MOST_QUERIES = 10_000_000


def power(effect: float, queries: int, alpha: float = ALPHA, side: Alternative = Alternative.both) -> float:
    """Chance of p < `alpha` with `queries` queries when the true Cohen's d_z is `effect`."""

    freedom, shift = queries - 1, side.distance(effect) * math.sqrt(queries)
    tails = 2 if side is Alternative.both else 1
    critical = float(special.stdtrit(freedom, 1 - alpha / tails))
    found = 1 - float(special.nctdtr(freedom, shift, critical))
    # Mirrored, because scipy's far lower tail is not a number in places.
    return found + 1 - float(special.nctdtr(freedom, -shift, critical)) if side is Alternative.both else found


@lru_cache
def detectable(
    queries: int, wanted: float = POWER, alpha: float = ALPHA, side: Alternative = Alternative.both
) -> float | None:
    """The least d_z, in size, that `queries` queries show with a chance of `wanted`; None with a single query.

    Times the standard deviation of the differences it is the minimal detectable difference.
    """
    if queries < 2:
        return None
    towards = Alternative.greater if side is Alternative.less else side
    low, high = 0.0, 1.0
    while power(high, queries, alpha, towards) < wanted:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, queries, alpha, towards) >= wanted else (middle, high)
    return high


def detectable_shift(
    freedom: float, wanted: float = POWER, alpha: float = ALPHA, side: Alternative = Alternative.both
) -> float:
    """The least true difference, in standard errors with so many degrees of freedom, that is shown with a chance of
    `wanted`."""
    tails = 2 if side is Alternative.both else 1
    critical = float(special.stdtrit(freedom, 1 - alpha / tails))
    return float(special.nctdtrinc(freedom, 1 - wanted, critical))


def queries_needed(
    effect: float, wanted: float = POWER, alpha: float = ALPHA, side: Alternative = Alternative.both
) -> int | None:
    """The least number of queries that shows a true d_z of `effect` with a chance of `wanted`.

    None where there is no effect in the direction asked for, or one so small that ten million queries would not do.
    """
    if side.distance(effect) <= 0:
        return None
    high = max(2, _nearly(effect, wanted, alpha, side))
    low, step = high - 1, 1
    while low > 1 and power(effect, low, alpha, side) >= wanted:
        low, high, step = max(1, low - step), low, 2 * step
    while power(effect, high, alpha, side) < wanted:
        low, high, step = high, high + step, 2 * step
        if high > MOST_QUERIES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, alpha, side) >= wanted else (middle, high)
    return high


def _nearly(effect: float, wanted: float, alpha: float, side: Alternative) -> int:
    """Queries by the normal distribution: where the search starts."""

    spread = float(special.ndtri(1 - alpha / (2 if side is Alternative.both else 1)) + special.ndtri(wanted))
    return int(min((spread / effect) ** 2, MOST_QUERIES)) + 1
