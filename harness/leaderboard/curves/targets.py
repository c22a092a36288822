"""How many labels (tokens, USD) a target takes: read off fitted curves, between the amounts that were measured and
never beyond."""

from __future__ import annotations

import math
from typing import NamedTuple

from harness.errors import UserError, did_you_mean
from harness.evaluation.curves.budget_curve import Amount, CurveTarget, needed
from harness.leaderboard.curves.cost_axes import Axis
from harness.leaderboard.curves.fitted import Statistics
from harness.leaderboard.curves.series import amount_text


class Needed(NamedTuple):
    """The amount at which a series reaches the target, and the same in words."""

    series: str
    amount: Amount
    words: str


def target_of(statistics: Statistics, text: str) -> tuple[str, CurveTarget]:
    """A target with its name: a number, or a row without labels by its name, whose own uncertainty then counts.

    Raises UserError for anything else.
    """
    if text in statistics.targets:
        return text, statistics.targets[text]
    try:
        number = float(text)
    except ValueError as error:
        raise UserError(
            f"unknown target '{text}'", remedy=f"give a number; {did_you_mean(text, statistics.targets)}"
        ) from error
    if not math.isfinite(number):
        raise UserError(f"the target is {text}", remedy=f"give a value of {statistics.chart.metric}")
    return f"{number:g}", CurveTarget(number)


def labels_needed(statistics: Statistics, target: CurveTarget) -> list[Needed]:
    """For every series the amount at which its fitted curve reaches `target`."""
    found = [(one.series.name, needed(one.curve, target)) for one in statistics.fitted]
    return [Needed(name, amount, amount_words(amount, statistics.chart.axis)) for name, amount in found]


def amount_words(amount: Amount, axis: Axis) -> str:
    """'about 310 labels (95 %: at most 100 to 900)', 'not reached with 1,000 labels (95 %: 620 to more than 1,000)',
    'cannot be told between 100 and 1,000 labels' where the interval is all that was measured."""
    if amount.is_open:
        return open_words(amount, axis)
    last = amount_text(amount.last, axis)
    text = (
        f"not reached with {last} {axis.unit}"
        if math.isinf(amount.value)
        else f"{bound_words(amount.value, amount, axis)} {axis.unit}"
    )
    return f"{text} ({interval_words(amount, axis)})"


def open_words(amount: Amount, axis: Axis) -> str:
    """What is to be said of an amount whose interval is the whole measured range: no number."""
    first, last = (amount_text(value, axis) for value in (amount.first, amount.last))
    if first == last:
        return f"cannot be told from {first} {axis.unit} alone"
    return f"cannot be told between {first} and {last} {axis.unit}"


def interval_words(amount: Amount, axis: Axis) -> str:
    """'95 %: 140 to 620', 'at most' and 'more than' where an end is open, one number where both ends are the same."""
    low, high = (bound_words(value, amount, axis, "") for value in amount.interval)
    return f"95 %: {low}" if low == high else f"95 %: {low} to {high}"


def bound_words(value: float, amount: Amount, axis: Axis, about: str = "about ") -> str:
    """A number between the measured amounts with `about` before it, 'at most' the smallest, or 'more than' the
    largest."""
    if math.isinf(value):
        return f"more than {amount_text(amount.last, axis)}"
    if value <= amount.first:
        return f"at most {amount_text(amount.first, axis)}"
    return about + amount_text(value, axis, rounded=True)
