"""Budget curves: measured means as markers, fitted curves with their bands, levels, and a target with what reaches
it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.leaderboard.curves import chart_legends
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.fitted import Statistics
from harness.leaderboard.curves.label_places import spread
from harness.leaderboard.curves.series import Chart, Series
from harness.leaderboard.curves.series_style import letters, series_styles
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
_MARGINS = 0.04
"""Room above and below what is drawn, in parts of its height."""
_LETTER = 15
"""Pixels between letters at the ends of lines."""
_FAINT = 0.12
"""Opacity of the series that were not chosen in the legend."""
Values = list[dict[str, Any]]
Ends = tuple[float, float]


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
    lines = _fits(statistics) if statistics else _joined(chart)
    ends = _ends(chart, lines, target)
    fitted = _Layers(chart, _across(chart, first, last), ends)
    layers = [
        *fitted.band(lines, _single_selection(chart)),
        *_levels(chart, ends, target),
        *_target(chart, target, ends),
        fitted.line(lines),
        fitted.points(),
        fitted.letters(),
    ]
    if target is not None and needed:
        layers += fitted.reached(target[1], needed)
    return alt.layer(*layers).properties(height=_PLOT + chart_legends.height(_names(chart)))


class _Layers:
    """Layers that share axes and the looks of the series. A click on the legend leaves one series in full colour."""

    def __init__(self, chart: Chart, across: alt.X, ends: Ends) -> None:
        self._chart, self._across, self._ends = chart, across, ends
        self._styles, self._lettered = series_styles(len(chart.series)), _lettered(_names(chart))
        said = chart_legends.texts(list(self._lettered.values()))
        self._legend = {name: said[full] for name, full in self._lettered.items()}
        self._chosen = alt.selection_point(name="series", fields=["text"], bind="legend")

    def _base(self, values: Values) -> alt.Chart:
        told = [{**value, "text": self._legend[value["series"]]} for value in values]
        return alt.Chart(alt.Data(values=told)).encode(x=self._across)

    def _seen(self, opacity: float) -> alt.Opacity:
        return alt.condition(self._chosen, alt.value(opacity), alt.value(opacity * _FAINT))

    def band(self, lines: Values, single: Values) -> list[alt.Chart]:
        ends = {"y": self._up("low"), "y2": "high:Q", "color": self._colour()}
        area = (
            self._base([line for line in lines if "low" in line]).mark_area().encode(**ends, opacity=self._seen(0.15))
        )
        rule = self._base(single).mark_rule().encode(**ends, opacity=self._seen(0.5))
        return [area, *([rule] if single else [])]

    def line(self, lines: Values) -> alt.Chart:
        dash = self._series(alt.StrokeDash, [list(look.dash) or [1, 0] for look in self._styles])
        look = {"y": self._up("mean"), "color": self._colour(), "strokeDash": dash, "opacity": self._seen(1)}
        return self._base(lines).mark_line(point=False).encode(**look)

    def points(self) -> alt.Chart:
        numbered = [(one, number) for one in self._chart.series for number in range(len(one.points))]
        marks = self._base([_point(one, number) for one, number in numbered])
        drawn = marks.mark_point(size=80, strokeWidth=chart_legends.EDGE).add_params(self._chosen)
        return drawn.encode(y=self._up("mean"), **self._look(), opacity=self._seen(1), tooltip=_tooltip(self._chart))

    def letters(self) -> alt.Chart:
        """The letter that a series has in the legend, behind its last point."""
        low, high = self._ends
        last = sorted(self._chart.series, key=lambda one: one.points[-1].mean)
        values: Values = []
        for place in {one.points[-1].x for one in last}:
            here = [one for one in last if one.points[-1].x == place]
            up = spread([one.points[-1].mean for one in here], _LETTER * (high - low) / _PLOT)
            values += [
                {"series": one.name, "x": place, "mean": mean, "letter": self._lettered[one.name].partition(" ")[0]}
                for one, mean in zip(here, up, strict=True)
            ]
        marks = self._base(values).mark_text(align="left", dx=9, fontWeight="bold", fontSize=12)
        return marks.encode(y=self._up("mean"), text="letter:N", color=self._colour(), opacity=self._seen(1))

    def reached(self, target: float, needed: list[Needed]) -> list[alt.Chart]:
        """Large hollow markers on the target's line, at amounts that are no bounds."""
        inside = [one for one in needed if one.amount.first < one.amount.value < math.inf]
        values = [{"series": one.series, "x": one.amount.value, "mean": target, "words": one.words} for one in inside]
        tooltip = [alt.Tooltip("series:N"), alt.Tooltip("words:N", title="reaches the target with")]
        look = self._look()
        marks = self._base(values).mark_point(filled=False, size=150, strokeWidth=2, opacity=1)
        shown = marks.encode(y=self._up("mean"), shape=look["shape"], stroke=look["stroke"], tooltip=tooltip)
        return [shown] if values else []

    def _look(self) -> dict[str, Any]:
        return chart_legends.marked("text", list(self._lettered.values()), self._styles)

    def _up(self, field: str) -> alt.Y:
        return _height(field, self._chart, self._ends)

    def _colour(self) -> alt.Color:
        return self._series(alt.Color, [look.colour for look in self._styles])

    def _series(self, channel: Any, found: list[Any]) -> Any:
        """The series on a channel that has no legend: that of the measured points is everyone's."""
        return channel("series:N", scale=alt.Scale(domain=_names(self._chart), range=found), legend=None)


def _lettered(names: Sequence[str]) -> dict[str, str]:
    """Each name with its letter before it: 'A  direct'."""
    return {name: f"{letter.upper()}  {name}" for name, letter in zip(names, letters(len(names)), strict=True)}


def _ends(chart: Chart, lines: Values, target: tuple[str, float] | None) -> Ends:
    """Where the axis of the metric begins and ends: levels that are far from all curves do not count, a target does."""
    low, high = chart.span
    values = [low, high, *(level.mean for level in chart.drawn_levels), *([target[1]] if target else [])]
    values += [line[end] for line in lines for end in ("low", "high", "mean") if end in line]
    room = _MARGINS * (max(values) - min(values)) or _MARGINS
    return min(values) - room, max(values) + room


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


def _height(field: str, chart: Chart, ends: Ends) -> alt.Y:
    scale = alt.Scale(zero=False, domain=list(ends), nice=False)
    return alt.Y(f"{field}:Q", title=chart.metric, scale=scale, axis=alt.Axis(format=".4~f"))


def _tooltip(chart: Chart) -> list[alt.Tooltip]:
    place = [] if chart.axis is AXES["labels"] else [alt.Tooltip("x:Q", format=",.4~g", title=chart.axis.unit)]
    titles = {"mean": chart.metric, "low": "low", "high": "high"}
    numbers = [alt.Tooltip(f"{name}:Q", format=".3f", title=title) for name, title in titles.items()]
    return [alt.Tooltip("series:N"), alt.Tooltip("labels:Q", format=",d"), *place, *numbers, alt.Tooltip("runs:Q")]


def _levels(chart: Chart, ends: Ends, target: tuple[str, float] | None) -> list[alt.Chart]:
    """Each with its name at the left, where no line ends; one that is the target has the target's line instead."""
    drawn = [level for level in chart.drawn_levels if target != (level.name, level.mean)]
    values = [{"name": level.title, "mean": level.mean} for level in drawn]
    base = alt.Chart(alt.Data(values=values)).encode(y=_height("mean", chart, ends))
    outside = alt.Chart(alt.Data(values=[{"outside": chart.outside}])).mark_text(align="right", dy=8, color="gray")
    far = [outside.encode(x=alt.value("width"), y=alt.value(0), text="outside:N")] if chart.outside else []
    if not values:
        return far
    rules = base.mark_rule(strokeDash=[3, 4], color="gray").encode(
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("mean:Q", format=".3f")]
    )
    names = base.mark_text(align="left", dx=4, dy=-6, color="gray").encode(x=alt.value(0), text="name:N")
    return [rules, names, *far]


def _target(chart: Chart, target: tuple[str, float] | None, ends: Ends) -> list[alt.Chart]:
    if target is None:
        return []
    values = [{"mean": target[1], "name": f"target {target[0]} {target[1]:.3f}"}]
    base = alt.Chart(alt.Data(values=values)).encode(y=_height("mean", chart, ends))
    rule = base.mark_rule(color=_TARGET, strokeDash=[8, 3], strokeWidth=2).encode(tooltip=[alt.Tooltip("name:N")])
    return [rule, base.mark_text(align="left", dx=4, dy=-7, color=_TARGET).encode(x=alt.value(0), text="name:N")]
