"""Budget curves as statistics: the fitted curve and its band, amounts that reach a target, area, crossing.

Intervals are t intervals over queries and runs (`t_intervals`). Those of amounts hold what such a test leaves possible:
where the t interval of a curve, or of the difference of two, holds the target. They may be open: infinity stands for
more than was measured, the smallest measured amount for that or less. Bands alone are percentiles of the samples, as
the intervals of a board's rows are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np

from harness.errors import UserError
from harness.evaluation.curves.fits import FITS, Fit, FittedLines, Knots, Monotone
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval, percentile
from harness.evaluation.significance.t_intervals import Samples, t_intervals

LEVEL = 0.95
_STEPS = 65
"""Amounts between the smallest and the largest at which a band is drawn and curves are compared."""


class CurveValue(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    interval: Interval


class Amount(NamedTuple):
    """An amount between `first` and `last`, the smallest and the largest measured.

    `first` means that or less, infinity more than `last`.
    """

    value: float
    interval: Interval
    first: float
    last: float

    @property
    def is_open(self) -> bool:
        """Whether its interval is the whole measured range and beyond: then the data say nothing of it."""
        return self.interval.low <= self.first and math.isinf(self.interval.high)


class CurveTarget(NamedTuple):
    """What is to be reached: a number, or the mean of a row with its samples (s,) from the same draws as the
    curve's."""

    mean: float
    samples: Samples | None = None


@dataclass(frozen=True)
class Band:
    """A fitted curve with its 95 % pointwise band: arrays (g,)."""

    amounts: Array
    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """Means (p,) of a metric at `amounts` (p,), and their bootstrapped `samples` (s, p) from the same draws at all
    amounts.

    `weights` (p,) say how much each amount counts in the fit: how many runs it has. Raises UserError unless the amounts
    ascend from above 0.
    """

    amounts: Array
    means: Array
    samples: Samples
    weights: Array
    fit: Fit

    def __post_init__(self) -> None:
        if not (self.amounts[0] > 0 and (np.diff(self.amounts) > 0).all()):
            raise UserError(
                "the amounts of a curve do not ascend from above 0",
                remedy="merge points of one amount, leave out those at 0",
            )

    @property
    def first(self) -> float:
        """The smallest measured amount."""
        return float(self.amounts[0])

    @property
    def last(self) -> float:
        """The largest measured amount."""
        return float(self.amounts[-1])

    @cached_property
    def fitted(self) -> FittedLines:
        """The curve through the means."""
        return self.fit.lines(self.amounts, self.means[None, :], self.weights)

    @cached_property
    def _drawn(self) -> tuple[FittedLines, FittedLines, FittedLines]:
        parts = (self.samples.queries, self.samples.runs, self.samples.both)
        queries, runs, both = (self.fit.lines(self.amounts, part, self.weights) for part in parts)
        return queries, runs, both

    def drawn(self, amounts: Array) -> Samples:
        """The curves through the samples at `amounts` (g,): samples (s, g)."""
        queries, runs, both = (lines.at(amounts) for lines in self._drawn)
        return Samples(queries, runs, both, self.samples.freedom)


def curve(amounts: Array, means: Array, samples: Samples, weights: Array, fit: Fit) -> BudgetCurve:
    """A curve from points in any order; points of one amount become their weighted mean. Shapes as in `BudgetCurve`.

    With fewer amounts than `fit` takes, the curve is monotone.
    """
    distinct, group = np.unique(amounts, return_inverse=True)
    shares = np.zeros((len(amounts), len(distinct)))
    shares[np.arange(len(amounts)), group] = weights
    totals = shares.sum(axis=0)
    shares = shares / totals
    merged = samples.each(lambda part: part @ shares)
    return BudgetCurve(
        distinct, means @ shares, merged, totals, fit if len(distinct) >= fit.least else FITS[Monotone.name]
    )


def _places(first: float, last: float, *knots: Array) -> Array:
    """Amounts at which curves between `first` and `last` are looked at, all of their knots included."""
    if first == last:
        return np.array([first])
    inside = [some[(some > first) & (some < last)] for some in knots]
    return np.unique(np.concatenate([[first, last], np.geomspace(first, last, _STEPS)[1:-1], *inside]))


def band(one: BudgetCurve, queries: bool = True) -> Band:
    """The fitted curve and its pointwise 95 % band: at each amount, percentiles of the curves fitted to the samples.

    Over queries and runs, or over runs alone; at a measured amount of a rising curve it is the interval of that row of
    the board.
    """
    places = _places(one.first, one.last, one.amounts)
    drawn = one.drawn(places)
    bounds = percentile(drawn.both if queries else drawn.runs, LEVEL)
    return Band(
        places, one.fitted.at(places)[0], np.array([low for low, _ in bounds]), np.array([high for _, high in bounds])
    )


def needed(one: BudgetCurve, target: CurveTarget) -> Amount:
    """The least amount at which the fitted curve reaches `target`, with its interval.

    From the least amount at which the curve is not surely below the target to the least at which it is surely not:
    where the target crosses the t interval of the fit (where the target is a number).
    """
    places = _places(one.first, one.last, one.amounts)
    drawn = one.drawn(places)
    if target.samples is not None:
        drawn = drawn.minus(target.samples.each(lambda part: part[:, None]))
    low, high = t_intervals(one.fitted.at(places)[0] - target.mean, drawn, LEVEL)
    ends = Knots(places, np.stack([high, low])).reach(np.zeros(2))
    value = float(one.fitted.reach(np.array([target.mean]))[0])
    # Between two places an end is read off a straight line, the value off the curve.
    return Amount(value, Interval(min(float(ends[0]), value), max(float(ends[1]), value)), one.first, one.last)


def area(one: BudgetCurve) -> CurveValue | None:
    """The mean of the metric over log amounts, from the smallest measured amount to the largest; None with one amount.

    By the trapezoidal rule over the means as they were measured, without a fit; in the unit of the metric.
    """
    if len(one.amounts) < 2:
        return None
    weights = _area_weights(one.amounts, one.first, one.last)
    return _value(one.means @ weights, one.samples.each(lambda part: part @ weights))


def _value(value: Array, samples: Samples) -> CurveValue:
    low, high = t_intervals(value, samples, LEVEL)
    return CurveValue(float(value), Interval(float(low), float(high)))


def _area_weights(amounts: Array, first: float, last: float) -> Array:
    """What each of `amounts` counts in the mean over log amounts between `first` and `last`, straight lines between
    them: (p,)."""
    inside = amounts[(amounts > first) & (amounts < last)]
    logs = np.log(np.concatenate([[first], inside, [last]]))
    shapes = np.array([np.interp(logs, np.log(amounts), unit) for unit in np.eye(len(amounts))])
    return np.asarray(((shapes[:, 1:] + shapes[:, :-1]) / 2) @ np.diff(logs) / (logs[-1] - logs[0]))


def shared_range(a: BudgetCurve, b: BudgetCurve) -> tuple[float, float] | None:
    """The amounts that both were measured over; None where that is no range."""
    first, last = max(a.first, b.first), min(a.last, b.last)
    return (first, last) if first < last else None


def area_difference(a: BudgetCurve, b: BudgetCurve) -> CurveValue | None:
    """Area of `b` minus that of `a`, both over the range that they share; None without one."""
    shared = shared_range(a, b)
    if shared is None:
        return None
    of_a, of_b = (_area_weights(one.amounts, *shared) for one in (a, b))
    drawn = b.samples.each(lambda part: part @ of_b).minus(a.samples.each(lambda part: part @ of_a))
    return _value(b.means @ of_b - a.means @ of_a, drawn)


def ahead_from(a: BudgetCurve, b: BudgetCurve) -> Amount | None:
    """The least amount of the shared range from which the fit of `b` stays at or above that of `a` to its end; None
    without a range.

    Its start where `b` never lies below, infinity where `b` ends below. Where both curves cross once, it is the
    crossing point. Its interval: from where on `b` is nowhere surely below to where on it is everywhere surely not.
    """
    shared = shared_range(a, b)
    if shared is None:
        return None
    places = _places(*shared, a.amounts, b.amounts)
    difference = (b.fitted.at(places) - a.fitted.at(places))[0]
    low, high = t_intervals(difference, b.drawn(places).minus(a.drawn(places)), LEVEL)
    value, first, last = _stays_above(places, np.stack([difference, high, low])).tolist()
    return Amount(value, Interval(first, last), *shared)


def _stays_above(places: Array, differences: Array) -> Array:
    """The least of `places` (g,), or amount between two, from which each row of `differences` (m, g) is never below 0:
    (m,)."""
    below = differences < 0
    last_below = below.shape[1] - 1 - below[:, ::-1].argmax(axis=1)
    rows, logs = np.arange(len(differences)), np.log(places)
    right = np.minimum(last_below + 1, len(places) - 1)
    start, stop = differences[rows, last_below], differences[rows, right]
    share = -start / np.where(stop > start, stop - start, 1.0)
    between = np.exp(logs[last_below] + share * (logs[right] - logs[last_below]))
    crossed = np.where(last_below == len(places) - 1, np.inf, between)
    return np.asarray(np.where(below.any(axis=1), crossed, places[0]))


def falls(one: BudgetCurve) -> list[tuple[float, float]]:
    """Pairs of measured amounts between which the metric surely falls, which no curve here can follow.

    Those whose interval of the difference lies below 0, at 95 % for all pairs of amounts together (Bonferroni).
    """
    pairs = list(combinations(range(len(one.amounts)), 2))
    if not pairs:
        return []
    starts, stops = (list(ends) for ends in zip(*pairs, strict=True))
    rises = one.samples.each(lambda part: part[:, stops] - part[:, starts])
    _, high = t_intervals(one.means[stops] - one.means[starts], rises, 1 - (1 - LEVEL) / len(pairs))
    return [
        (float(one.amounts[pairs[place][0]]), float(one.amounts[pairs[place][1]])) for place in np.nonzero(high < 0)[0]
    ]
