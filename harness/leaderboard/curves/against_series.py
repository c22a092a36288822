"""Budget curves against one of them: how many labels each needs to equal it, from where on it is ahead, and by how much
overall."""

from __future__ import annotations

import math
from typing import NamedTuple

from harness.errors import UserError, did_you_mean
from harness.evaluation.curves.budget_curve import Amount, CurveTarget, CurveValue, ahead_from, area_difference, needed
from harness.leaderboard.curves.cost_axes import Axis
from harness.leaderboard.curves.fitted import Fitted, Statistics
from harness.leaderboard.curves.series import amount_text
from harness.leaderboard.curves.targets import bound_words, interval_words, open_words


class Pair(NamedTuple):
    """A series against the reference; `area` is that of the series minus the reference's, over the amounts that both
    were measured at."""

    series: str
    equal: Amount
    """The amount that it needs for the mean of the reference at its largest amount."""
    ahead: Amount | None
    """From where on it stays at or above the reference; None without a shared range, as is `area`."""
    area: CurveValue | None
    words: str


def usual_reference(statistics: Statistics) -> str:
    """The series that others are held against: the best real one that is not ours, otherwise the best one (by last
    points)."""
    real = [one.series for one in statistics.fitted if one.series.teacher_type in ("real", None)] or list(
        statistics.chart.series
    )
    return next((one.name for one in real if one.category not in ("ours", "control")), real[0].name)


def choice_note(statistics: Statistics, reference: str) -> str:
    """What is to be known of a `reference` that nobody named: it is the best on the queries that it is compared on."""
    others = len(statistics.fitted)
    return (
        f"{reference} was chosen by its mean on these queries, of {others} series: it may be the luckiest, and "
        "the others look worse beside it than they are. Name one with --against before you look"
    )


def series_named(statistics: Statistics, text: str) -> str:
    """The series of that name, or the only one whose name begins so. Raises UserError when there is none or more than
    one."""
    names = [one.series.name for one in statistics.fitted]
    found = [name for name in names if name == text] or [name for name in names if name.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"more than one series begins with '{text}'", remedy=f"one of: {'; '.join(found)}")
    raise UserError(f"no series '{text}'", remedy=did_you_mean(text, names))


def series_pairs(statistics: Statistics, reference: str) -> list[Pair]:
    """Every other series against the one that `series_named` finds. Raises UserError as it does."""
    name = series_named(statistics, reference)
    against = next(one for one in statistics.fitted if one.series.name == name)
    return [_pair(one, against, statistics.chart.axis) for one in statistics.fitted if one is not against]


def _pair(one: Fitted, reference: Fitted, axis: Axis) -> Pair:
    goal = CurveTarget(float(reference.curve.means[-1]), reference.curve.samples.each(lambda part: part[:, -1]))
    equal = needed(one.curve, goal)
    ahead, area = ahead_from(reference.curve, one.curve), area_difference(reference.curve, one.curve)
    return Pair(one.series.name, equal, ahead, area, _words(one, reference, equal, axis))


def _words(one: Fitted, reference: Fitted, equal: Amount, axis: Axis) -> str:
    largest = amount_text(reference.curve.last, axis)
    if equal.is_open:
        return (
            f"how much {one.series.name} takes for the mean of {reference.series.name} with {largest} "
            f"{open_words(equal, axis)}"
        )
    if math.isinf(equal.value):
        text = (
            f"{one.series.name} with {amount_text(equal.last, axis)} {axis.unit} does not reach the mean of "
            f"{reference.series.name} with {largest}"
        )
    else:
        text = (
            f"{one.series.name} with {bound_words(equal.value, equal, axis)} {axis.unit} reaches the mean of "
            f"{reference.series.name} with {largest}"
        )
    return f"{text} ({interval_words(equal, axis)})"


def ahead_words(ahead: Amount | None, axis: Axis) -> str:
    """'from about 310 on', 'not at 1,000', with the interval, or that it cannot be told; empty where there is nothing
    to compare."""
    if ahead is None:
        return ""
    if ahead.is_open:
        return open_words(ahead, axis)
    if math.isinf(ahead.value):
        text = f"not at {amount_text(ahead.last, axis)}"
    elif ahead.value <= ahead.first:
        text = f"from {amount_text(ahead.first, axis)} on"
    else:
        text = f"from {bound_words(ahead.value, ahead, axis)} on"
    return f"{text} ({interval_words(ahead, axis)})"
