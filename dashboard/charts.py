"""Charts of what `harness.board` computed."""

from __future__ import annotations

from typing import Any

import altair as alt

from harness.board.axes import AXES
from harness.board.curves import Chart
from harness.board.figure import COLOURS

_MARGIN = 1.15
"""Room left and right of the points, as a factor on the log axis."""

_PLOT, _LINE = 480, 27
"""Pixels of the plot with its axis, and of one line of the legend below it, which counts as part of the chart's height."""


def budget_curve(chart: Chart, target: float | None = None) -> alt.LayerChart:
    """The metric against the chart's axis: each series with a line, a dash, a marker and a band, levels and target as rules."""
    places = [point.x for one in chart.series for point in one.points]
    first, last = min(places) / _MARGIN, max(places) * _MARGIN
    base = alt.Chart(alt.Data(values=_points(chart))).encode(x=_across(chart, first, last))
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
    height = _PLOT + _LINE * len(chart.series)
    return alt.layer(band, *_levels(chart, last), *_target(chart, target), line, points).properties(height=height)


def _series(channel: Any, chart: Chart, **scale: Any) -> Any:
    """The series on one channel; the same legend everywhere, so that one legend shows colour and marker together."""
    names = [one.name for one in chart.series]
    legend = alt.Legend(title=None, orient="bottom", columns=1, labelLimit=700, symbolOpacity=1, symbolStrokeWidth=0)
    return channel("series:N", sort=names, scale=alt.Scale(domain=names, **scale), legend=legend)


def _across(chart: Chart, first: float, last: float) -> alt.X:
    scale = alt.Scale(type="log", domain=[first, last], nice=False)
    counted = chart.axis is AXES["labels"]
    axis = alt.Axis(values=chart.budgets, format=",d") if counted else alt.Axis(format="~s", tickCount=6)
    return alt.X("x:Q", scale=scale, axis=axis, title=f"{chart.axis.title} (log scale)")


def _height(field: str, chart: Chart) -> alt.Y:
    return alt.Y(f"{field}:Q", title=chart.metric, scale=alt.Scale(zero=False))


def _points(chart: Chart) -> list[dict[str, Any]]:
    return [
        {
            "series": one.name,
            "labels": point.budget,
            "x": point.x,
            "mean": point.mean,
            "low": point.low,
            "high": point.high,
            "runs": point.runs,
        }
        for one in chart.series
        for point in one.points
    ]


def _tooltip(chart: Chart) -> list[alt.Tooltip]:
    place = [] if chart.axis is AXES["labels"] else [alt.Tooltip("x:Q", format=",.4~g", title=chart.axis.unit)]
    numbers = [
        alt.Tooltip(f"{name}:Q", format=".3f", title=title) for name, title in (("mean", chart.metric), ("low", "low"), ("high", "high"))
    ]
    return [alt.Tooltip("series:N"), alt.Tooltip("labels:Q", format=",d"), *place, *numbers, alt.Tooltip("runs:Q")]


def _levels(chart: Chart, last: float) -> list[alt.Chart]:
    if not chart.levels:
        return []
    values = [{"name": level.name, "mean": level.mean, "x": last} for level in chart.levels]
    base = alt.Chart(alt.Data(values=values)).encode(y=_height("mean", chart))
    rules = base.mark_rule(strokeDash=[3, 4], color="gray").encode(tooltip=[alt.Tooltip("name:N"), alt.Tooltip("mean:Q", format=".3f")])
    names = base.mark_text(align="right", dx=-4, dy=-6, color="gray").encode(x="x:Q", text="name:N")
    return [rules, names]


def _target(chart: Chart, target: float | None) -> list[alt.Chart]:
    if target is None:
        return []
    base = alt.Chart(alt.Data(values=[{"mean": target, "name": f"target {target:.3f}"}])).encode(y=_height("mean", chart))
    rule = base.mark_rule(color="#D55E00", strokeDash=[8, 3], strokeWidth=2).encode(tooltip=[alt.Tooltip("name:N")])
    return [rule, base.mark_text(align="left", dx=4, dy=-7, color="#D55E00").encode(x=alt.value(0), text="name:N")]
