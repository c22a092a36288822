"""Budget curves: measured means as markers, fitted curves with their bands, levels, and a target with what reaches
it."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.leaderboard.curves import chart_legends
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.fitted import Statistics
from harness.leaderboard.curves.series import Chart, Series
from harness.leaderboard.curves.series_style import series_styles
from harness.leaderboard.curves.targets import Needed

if TYPE_CHECKING:
    import altair as alt
else:
    alt = lazy("altair")

_MARGIN = 1.15
"""Room left and right of the points, as a factor on the log axis."""
_PLOT = 480
"""Pixels of the plot with its axis."""
_TARGET = "#D55E00"
Values = list[dict[str, Any]]


def budget_chart(
    chart: Chart,
    statistics: Statistics | None = None,
    target: tuple[str, float] | None = None,
    needed: list[Needed] | None = None,
) -> alt.LayerChart:
    """The metric against the chart's axis: each series with a look of its own.

    Lines and bands are the fits of `statistics`; without it they join what was measured. `target` is a name with a
    value of the metric, and `needed` stands on its line where series reach it. Raises UserError where Altair is not
    installed.
    """
    if find_spec("altair") is None:
        raise UserError(
            "charts are drawn by Altair, which is not installed", remedy="pip install 'distil-harness[dashboard]'"
        )
    places = chart.places
    first, last = places[0] / _MARGIN, places[-1] * _MARGIN
    fitted = _Layers(chart, _across(chart, first, last))
    lines = _fits(statistics) if statistics else _joined(chart)
    layers = [
        *fitted.band(lines, _single_selection(chart)),
        *_levels(chart, last),
        *_target(chart, target),
        fitted.line(lines),
        fitted.points(),
    ]
    if target is not None and needed:
        layers += fitted.reached(target[1], needed)
    return alt.layer(*layers).properties(height=_PLOT + chart_legends.height(_names(chart)))


class _Layers:
    """Layers that share an axis and the looks of the series."""

    def __init__(self, chart: Chart, across: alt.X) -> None:
        self._chart, self._across, self._styles = chart, across, series_styles(len(chart.series))
        self._legend = chart_legends.texts(_names(chart))

    def _base(self, values: Values) -> alt.Chart:
        return alt.Chart(alt.Data(values=values)).encode(x=self._across)

    def band(self, lines: Values, single: Values) -> list[alt.Chart]:
        ends = {"y": _height("low", self._chart), "y2": "high:Q", "color": self._colour()}
        area = self._base([line for line in lines if "low" in line]).mark_area(opacity=0.15).encode(**ends)
        return [area, *([self._base(single).mark_rule(opacity=0.5).encode(**ends)] if single else [])]

    def line(self, lines: Values) -> alt.Chart:
        dash = self._series(alt.StrokeDash, [list(look.dash) or [1, 0] for look in self._styles])
        look = {"y": _height("mean", self._chart), "color": self._colour(), "strokeDash": dash}
        return self._base(lines).mark_line(point=False).encode(**look)

    def points(self) -> alt.Chart:
        numbered = [(one, number) for one in self._chart.series for number in range(len(one.points))]
        values = [{**_point(one, number), "text": self._legend[one.name]} for one, number in numbered]
        look = chart_legends.marked("text", _names(self._chart), self._styles)
        marks = self._base(values).mark_point(size=80, opacity=1, strokeWidth=chart_legends.EDGE)
        return marks.encode(y=_height("mean", self._chart), **look, tooltip=_tooltip(self._chart))

    def reached(self, target: float, needed: list[Needed]) -> list[alt.Chart]:
        """Large hollow markers on the target's line, at amounts that are no bounds."""
        inside = [one for one in needed if one.amount.first < one.amount.value < math.inf]
        values = [
            {
                "series": one.series,
                "text": self._legend[one.series],
                "x": one.amount.value,
                "mean": target,
                "words": one.words,
            }
            for one in inside
        ]
        tooltip = [alt.Tooltip("series:N"), alt.Tooltip("words:N", title="reaches the target with")]
        look = chart_legends.marked("text", _names(self._chart), self._styles)
        marks = self._base(values).mark_point(filled=False, size=150, strokeWidth=2, opacity=1)
        shown = marks.encode(
            y=_height("mean", self._chart), shape=look["shape"], stroke=look["stroke"], tooltip=tooltip
        )
        return [shown] if values else []

    def _colour(self) -> alt.Color:
        return self._series(alt.Color, [look.colour for look in self._styles])

    def _series(self, channel: Any, found: list[Any]) -> Any:
        """The series on a channel that has no legend: that of the measured points is everyone's."""
        return channel("series:N", scale=alt.Scale(domain=_names(self._chart), range=found), legend=None)


def _names(chart: Chart) -> list[str]:
    return [one.name for one in chart.series]


def _fits(statistics: Statistics) -> Values:
    return [
        {"series": one.series.name, "x": x, "mean": mean, "low": low, "high": high}
        for one in statistics.fitted
        if len(one.curve.amounts) > 1
        for x, mean, low, high in zip(*(part.tolist() for part in _parts(one.band)), strict=True)
    ]


def _parts(band: Any) -> tuple[Any, ...]:
    return band.amounts, band.mean, band.low, band.high


def _joined(chart: Chart) -> Values:
    """What was measured; points with an interval have a band."""
    return [
        {"series": one.name, "x": point.x, "mean": point.mean}
        | ({"low": point.low, "high": point.high} if point.low < point.high else {})
        for one in chart.series
        for point in one.points
    ]


def _single_selection(chart: Chart) -> Values:
    """Series of one point, whose band is a line."""
    return [_point(one, 0) for one in chart.series if len(one.points) == 1]


def _point(one: Series, number: int) -> dict[str, Any]:
    point = one.points[number]
    numbers = {"mean": point.mean, "low": point.low, "high": point.high}
    return {"series": one.name, "labels": point.budget, "x": point.x, **numbers, "runs": point.runs}


def _across(chart: Chart, first: float, last: float) -> alt.X:
    scale = alt.Scale(type="log", domain=[first, last], nice=False)
    counted = chart.axis is AXES["labels"]
    axis = alt.Axis(values=chart.budgets, format=",d") if counted else alt.Axis(format="~s", tickCount=6)
    return alt.X("x:Q", scale=scale, axis=axis, title=f"{chart.axis.title} (log scale)")


def _height(field: str, chart: Chart) -> alt.Y:
    return alt.Y(f"{field}:Q", title=chart.metric, scale=alt.Scale(zero=False), axis=alt.Axis(format=".4~f"))


def _tooltip(chart: Chart) -> list[alt.Tooltip]:
    place = [] if chart.axis is AXES["labels"] else [alt.Tooltip("x:Q", format=",.4~g", title=chart.axis.unit)]
    titles = {"mean": chart.metric, "low": "low", "high": "high"}
    numbers = [alt.Tooltip(f"{name}:Q", format=".3f", title=title) for name, title in titles.items()]
    return [alt.Tooltip("series:N"), alt.Tooltip("labels:Q", format=",d"), *place, *numbers, alt.Tooltip("runs:Q")]


def _levels(chart: Chart, last: float) -> list[alt.Chart]:
    if not chart.levels:
        return []
    values = [{"name": level.name, "mean": level.mean, "x": last} for level in chart.levels]
    base = alt.Chart(alt.Data(values=values)).encode(y=_height("mean", chart))
    rules = base.mark_rule(strokeDash=[3, 4], color="gray").encode(
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("mean:Q", format=".3f")]
    )
    names = base.mark_text(align="right", dx=-4, dy=-6, color="gray").encode(x="x:Q", text="name:N")
    return [rules, names]


def _target(chart: Chart, target: tuple[str, float] | None) -> list[alt.Chart]:
    if target is None:
        return []
    values = [{"mean": target[1], "name": f"target {target[1]:.3f}"}]
    base = alt.Chart(alt.Data(values=values)).encode(y=_height("mean", chart))
    rule = base.mark_rule(color=_TARGET, strokeDash=[8, 3], strokeWidth=2).encode(tooltip=[alt.Tooltip("name:N")])
    return [rule, base.mark_text(align="left", dx=4, dy=-7, color=_TARGET).encode(x=alt.value(0), text="name:N")]
