"""How many labels a target takes: read off a budget curve, between the budgets that were measured and never beyond them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from harness.board.curves import Chart, Series


class Needed(NamedTuple):
    """Where a series first reaches the target.

    `labels` is None where it never does. `bound` says what the number is: 'at most' where the smallest budget already reaches the
    target, 'about' where it lies between two budgets, 'more than' (the largest budget) where none reaches it.
    """

    series: str
    bound: str
    labels: float


def labels_needed(chart: Chart, target: float) -> list[Needed]:
    """For every series the quantity on the chart's axis at which its mean reaches `target`.

    Between neighbouring budgets the mean is taken to be linear in the logarithm of the quantity, as the chart draws it.
    """
    return [_needed(one, target) for one in chart.series]


def _needed(one: Series, target: float) -> Needed:
    first, last = one.points[0], one.points[-1]
    if first.mean >= target:
        return Needed(one.name, "at most", first.x)
    for left, right in pairwise(one.points):
        if right.mean >= target:
            share = (target - left.mean) / (right.mean - left.mean)
            return Needed(one.name, "about", math.exp(math.log(left.x) + share * (math.log(right.x) - math.log(left.x))))
    return Needed(one.name, "more than", last.x)
