"""Budget curves: how much does each way of distilling need?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import streamlit as st

from dashboard import choose
from dashboard.frame import TALL, WIDE, frame
from dashboard.heading import heading
from dashboard.save import save_button
from dashboard.show import show
from dashboard.source import View, view
from dashboard.text import literal
from harness.evaluation.curves.fits import FITS
from harness.leaderboard.curves.against_series import ahead_words, series_pairs, usual_reference
from harness.leaderboard.curves.budget_chart import budget_chart
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.fitted import ALL, BANDS, Statistics, statistics_of
from harness.leaderboard.curves.series import MOST, RUNS, Chart, amount_text, chart, select
from harness.leaderboard.curves.series_style import letters
from harness.leaderboard.curves.svg import svg
from harness.leaderboard.curves.targets import Needed, amount_words, labels_needed, target_of

_BAND = (
    "95 % bootstrap intervals of the fitted curve. Over resamples and seeds they say how much luck with the draw "
    "matters: from five runs a "
    "point on; of fewer they are the spread. With queries, they say how much the choice of test queries matters too. "
    "Methods are measured "
    "on the same queries, so bands that overlap may still differ."
)
_LEGEND = "Letters stand at the end of each line and in the legend; a click in the legend shows one line alone."
_AREA = (
    "Mean of the metric over the logarithm of the amount, between the measured amounts; compare only what was "
    "measured over the same."
)


def _target(drawn: Chart, usual: str | None) -> str | None:
    """A target for the metric, from a row that needs no labels or any number; at first the `usual` one."""
    options = ["none", *dict.fromkeys(level.name for level in drawn.levels), "a value"]
    chosen = choose.one(
        st,
        "Target",
        options,
        "target",
        default=usual,
        help="How many labels does it take to reach this? Rows without labels, or a value.",
    )
    if chosen == "a value":
        return str(choose.number(st, drawn.metric, "value", least=0.0, most=1.0, default=0.5, step=0.01, form="%.3f"))
    return None if chosen == "none" else chosen


def _names() -> Any:
    """A column of long names that leaves room for what is said of them."""
    return st.column_config.TextColumn(width=WIDE)


def _curves(found: Statistics) -> None:
    """What each curve is, with its area."""
    axis = found.chart.axis
    measured = [
        " – ".join(dict.fromkeys(amount_text(end, axis) for end in (one.curve.first, one.curve.last)))
        for one in found.fitted
    ]
    st.subheader("Curves")
    rows = {
        "": [letter.upper() for letter in letters(len(found.fitted))],
        "series": [one.series.name for one in found.fitted],
        "fit": [one.curve.fit.name for one in found.fitted],
        f"measured ({axis.unit})": measured,
        "area": [one.area and one.area.value for one in found.fitted],
        "low": [one.area and one.area.interval.low for one in found.fitted],
        "high": [one.area and one.area.interval.high for one in found.fitted],
        "notes": ["; ".join(one.notes) for one in found.fitted],
    }
    number = st.column_config.NumberColumn(format="%.3f")
    config = {"area": st.column_config.NumberColumn(format="%.3f", help=_AREA), "low": number, "high": number}
    frame(rows, "Curves", {**config, "series": _names()}, save="areas", row=TALL)


def _needed(drawn: Chart, name: str, goal: float, found: list[Needed]) -> None:
    unit = drawn.axis.unit
    st.subheader(literal(f"{unit} needed for {drawn.metric} of {goal:.3f}"))
    rows = {
        "series": [one.series for one in found],
        "needed": [one.words for one in found],
        unit: [None if math.isinf(one.amount.value) else round(one.amount.value, _digits(drawn)) for one in found],
    }
    config = {unit: st.column_config.NumberColumn(format="localized"), "series": _names()}
    config["needed"] = st.column_config.TextColumn(width=WIDE)
    frame(rows, f"{unit} needed for the target", config, save="needed", row=TALL)
    uncertain = (
        ""
        if name == f"{goal:g}"
        else f" {name} is uncertain too, on the same queries, which the intervals take into account."
    )
    st.caption(
        literal(
            "Where the fitted curve first reaches the target, never beyond the measured amounts: 'at most' names the "
            "smallest, "
            f"'more than' the largest. Hollow markers show it in the chart.{uncertain}"
        )
    )


def _digits(drawn: Chart) -> int:
    """Decimal places that mean something."""
    return 4 if drawn.axis.unit == AXES["usd"].unit else 0


def _pairs(found: Statistics) -> None:
    names = [one.series.name for one in found.fitted]
    if len(names) < 2:
        return
    st.subheader("One against the others")
    reference = choose.one(
        st,
        "Reference",
        names,
        "reference",
        default=usual_reference(found),
        help="Every other series is held against it.",
    )
    told = series_pairs(found, reference or names[0])
    axis = found.chart.axis
    rows = {
        "series": [pair.series for pair in told],
        "equals it with": [amount_words(pair.equal, axis) for pair in told],
        "at or above it": [ahead_words(pair.ahead, axis) for pair in told],
        "area difference": [pair.area and pair.area.value for pair in told],
        "low": [pair.area and pair.area.interval.low for pair in told],
        "high": [pair.area and pair.area.interval.high for pair in told],
    }
    number = st.column_config.NumberColumn(format="%+.3f")
    config = {**dict.fromkeys(("area difference", "low", "high"), number), "series": _names()}
    frame(rows, "One against the others", config, save="pairs", row=TALL)
    st.caption(
        "Equals it with: the amount at which a series reaches the mean of the reference at its largest amount. At or "
        "above it: from where "
        "on the fitted curve stays there. Area difference: over the amounts that both were measured at. Intervals are "
        "paired: same "
        "queries, same draws."
    )


class _Choice(NamedTuple):
    drawn: Chart
    fit: str
    band: str | None
    target: str | None


def _choices(found: View) -> _Choice | None:
    """What is to be drawn; None, said in words, where there is nothing."""
    first, second, third, fourth = st.columns(4)
    with first:
        help_text = "Labels, what labels cost at their price, or tokens read and written."
        axis = choose.one(st, "Over", list(AXES), "axis", help=help_text) or "labels"
    whole = chart(found.table, axis)
    if whole is None:
        st.info(f"No row has a number of {AXES[axis].unit} above 0, so there is no curve to draw.")
        return None
    with second:
        target = _target(whole, found.table.baseline)
    with third:
        about = " ".join(f"{one.name}: {one.summary}." for one in FITS.values())
        fit = choose.one(st, "Fit", list(FITS), "fit", help=about) or next(iter(FITS))
    with fourth:
        band = choose.one(
            st, "Bands over", list(BANDS), "band", default=RUNS if whole.band == RUNS else ALL, help=_BAND
        )
    every = choose.switch(st, f"All {len(whole.series)} series", "every") if len(whole.series) > MOST else False
    return _Choice(whole if every else select(whole), fit, band, target)


def page() -> None:
    """The whole page."""
    heading("curves")
    found = view()
    chosen = _choices(found)
    if chosen is None:
        return
    drawn = chosen.drawn
    st.subheader(literal(f"{drawn.metric} by {drawn.axis.title}"))
    statistics = statistics_of(found.result_set, found.table, drawn, chosen.fit, chosen.band)
    if statistics is None:
        show(budget_chart(drawn), "curves", f"{drawn.metric} by {drawn.axis.title}.")
        st.caption("One query: nothing can be said of how sure this is.")
        return
    name, goal = target_of(statistics, chosen.target) if chosen.target else ("", None)
    needed = labels_needed(statistics, goal) if goal else []
    said = f"{drawn.metric} by {drawn.axis.title}, {len(drawn.series)} series; the tables below have the numbers."
    show(budget_chart(drawn, statistics, (name, goal.mean) if goal else None, needed), "curves", said)
    left_out = (
        f"; best series of each method, then the best others, {drawn.left_out} not drawn" if drawn.left_out else ""
    )
    st.caption(literal(f"{_LEGEND} {statistics.note}{left_out}"), help=_BAND)
    if goal is not None:
        _needed(drawn, name, goal.mean, needed)
    _curves(statistics)
    _pairs(statistics)
    said = "Labelled at the lines, for a paper."
    save_button(st, "Figure as SVG", svg(drawn, statistics), "figure.svg", "image/svg+xml", help=said)


page()
