"""Where labels stand so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence

from harness._lazy import lazy

optimize = lazy("scipy.optimize")


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places as near to `wanted` (ascending) as a `gap` between neighbours allows, by least squares."""
    if not wanted:
        return []
    # Less the gaps below each, the places must only not fall.
    level = optimize.isotonic_regression([place - gap * number for number, place in enumerate(wanted)]).x.tolist()
    return [place + gap * number for number, place in enumerate(level)]
