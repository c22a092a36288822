"""Charts of what `harness.board` computed."""

from __future__ import annotations

from typing import Any

import altair as alt

from harness.board.curves import Chart
from harness.board.figure import COLOURS

_MARGIN = 1.15
"""Room left and right of the points, as a factor on the log axis."""

_PLOT, _LINE = 480, 27
"""Pixels of the plot with its axis, and of one line of the legend below it, which counts as part of the chart's height."""


def budget_curve(chart: Chart) -> alt.LayerChart:
    """The metric against the number of labels: each series with a line, a dash, a marker and a band, levels as dashed rules."""
    first, last = chart.budgets[0] / _MARGIN, chart.budgets[-1] * _MARGIN
    base = alt.Chart(alt.Data(values=_points(chart))).encode(x=_labels(chart, first, last))
    band = base.mark_area(opacity=0.15).encode(y=_height("low", chart), y2="high:Q", color=_series(alt.Color, chart, range=COLOURS))
    look = {
        "y": _height("mean", chart),
        "color": _series(alt.Color, chart, range=COLOURS),
        # Without a legend of its own: it would draw the outlines of the legend's markers dashed.
        "strokeDash": _series(alt.StrokeDash, chart).legend(None),
        "shape": _series(alt.Shape, chart),
    }
    line = base.mark_line(point=False).encode(**{key: look[key] for key in ("y", "color", "strokeDash")})
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        **{key: look[key] for key in ("y", "color", "shape")}, tooltip=_tooltip(chart)
    )
    return alt.layer(band, *_levels(chart, last), line, points).properties(height=_PLOT + _LINE * len(chart.series))


def _series(channel: Any, chart: Chart, **scale: Any) -> Any:
    """The series on one channel; the same legend everywhere, so that one legend shows colour and marker together."""
    names = [one.name for one in chart.series]
    legend = alt.Legend(title=None, orient="bottom", columns=1, labelLimit=700, symbolOpacity=1, symbolStrokeWidth=0)
    return channel("series:N", sort=names, scale=alt.Scale(domain=names, **scale), legend=legend)


def _labels(chart: Chart, first: float, last: float) -> alt.X:
    scale = alt.Scale(type="log", domain=[first, last], nice=False)
    return alt.X("labels:Q", scale=scale, axis=alt.Axis(values=chart.budgets, format=",d"), title="labelled queries (log scale)")


def _height(field: str, chart: Chart) -> alt.Y:
    return alt.Y(f"{field}:Q", title=chart.metric, scale=alt.Scale(zero=False))


def _points(chart: Chart) -> list[dict[str, Any]]:
    return [
        {"series": one.name, "labels": point.budget, "mean": point.mean, "low": point.low, "high": point.high, "runs": point.runs}
        for one in chart.series
        for point in one.points
    ]


def _tooltip(chart: Chart) -> list[alt.Tooltip]:
    numbers = [
        alt.Tooltip(f"{name}:Q", format=".3f", title=title) for name, title in (("mean", chart.metric), ("low", "low"), ("high", "high"))
    ]
    return [alt.Tooltip("series:N"), alt.Tooltip("labels:Q", format=",d"), *numbers, alt.Tooltip("runs:Q")]


def _levels(chart: Chart, last: float) -> list[alt.Chart]:
    if not chart.levels:
        return []
    values = [{"name": level.name, "mean": level.mean, "labels": last} for level in chart.levels]
    base = alt.Chart(alt.Data(values=values)).encode(y=_height("mean", chart))
    rules = base.mark_rule(strokeDash=[3, 4], color="gray").encode(tooltip=[alt.Tooltip("name:N"), alt.Tooltip("mean:Q", format=".3f")])
    names = base.mark_text(align="right", dx=-4, dy=-6, color="gray").encode(x="labels:Q", text="name:N")
    return [rules, names]
