"""A budget curve as SVG, for a README or a paper: told apart by colour, dash and marker, labelled at the lines
themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from harness.errors import UserError
from harness.leaderboard.board import Board
from harness.leaderboard.curves.cost_axes import AXES, Axis
from harness.leaderboard.curves.label_places import spread
from harness.leaderboard.curves.series import Chart, ReferenceLevel, Series, amount_text, chart, select
from harness.leaderboard.curves.series_style import MARKERS, SeriesStyle, series_styles
from harness.leaderboard.curves.short_names import shortened

if TYPE_CHECKING:
    from harness.evaluation.curves.budget_curve import Band
    from harness.leaderboard.curves.fitted import Statistics


_WIDTH, _HEIGHT = 960, 480
_LEFT, _RIGHT, _TOP = 64, 560, 52
_BELOW = 60
"""Pixels of the axis and the note below the plot."""
_LINE = 16
_LONGEST = 58
"""Characters of a label that fit beside the plot."""


@dataclass(frozen=True)
class _Scale:
    places: list[float]
    axis: Axis
    low: float
    high: float
    height: float
    """Of the whole picture."""

    @property
    def bottom(self) -> float:
        return self.height - _BELOW

    def x(self, place: float) -> float:
        first, last = math.log(self.places[0]), math.log(self.places[-1])
        share = (math.log(place) - first) / (last - first) if last > first else 0.5
        return _LEFT + 16 + share * (_RIGHT - _LEFT - 32)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - _TOP)


def svg(chart: Chart, statistics: Statistics | None = None) -> str:
    """All series of the chart as an SVG document, which grows with them (`select` leaves the most telling ones).

    Lines and bands are the fits of `statistics`, markers the means that were measured; without it lines join the
    markers.
    """
    fits = {one.series.name: one.band for one in statistics.fitted} if statistics else {}
    paths = [_path(one, fits.get(one.name)) for one in chart.series]
    scale = _scale(chart, paths)
    styles = series_styles(len(chart.series))
    parts = [_head(chart, scale.height), *_grid(scale), *(_level(level, scale) for level in chart.drawn_levels)]
    parts += [_text(_LEFT, 44, chart.outside, size=11, colour="#555555")] if chart.outside else []
    parts += [_band(path, style.colour, scale) for path, style in zip(paths, styles, strict=True)]
    parts += [_line(one, path, style, scale) for one, path, style in zip(chart.series, paths, styles, strict=True)]
    parts += _labels(chart, styles, scale)
    parts.append(
        _text(_LEFT, scale.height - 8, statistics.legend if statistics else chart.note, size=11, colour="#555555")
    )
    return "\n".join([*parts, "</svg>\n"])


def write_svg(chart: Chart, path: Path, statistics: Statistics | None = None) -> None:
    """Write `svg(chart, statistics)` to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg(chart, statistics), encoding="utf-8")


def draw(board: Board, path: Path) -> None:
    """Write the most telling curves of the board's first table that has any. Raises UserError where there are none."""
    curves = next((found for table in board.tables if (found := chart(table)) is not None), None)
    if curves is None:
        raise UserError("no run has a budget, so there is no curve to draw", file=path)
    write_svg(select(curves), path)


class _Corner(NamedTuple):
    """A place of a line with its band."""

    x: float
    mean: float
    low: float
    high: float


def _path(one: Series, fit: Band | None) -> list[_Corner]:
    if fit is None or len(one.points) == 1:
        return [_Corner(point.x, point.mean, point.low, point.high) for point in one.points]
    return [
        _Corner(*corner)
        for corner in zip(*(part.tolist() for part in (fit.amounts, fit.mean, fit.low, fit.high)), strict=True)
    ]


def _scale(chart: Chart, paths: Iterable[list[_Corner]]) -> _Scale:
    values = [bound for path in paths for corner in path for bound in (corner.low, corner.high)]
    values += [point.mean for one in chart.series for point in one.points] + [
        level.mean for level in chart.drawn_levels
    ]
    step = _step(max(values) - min(values))
    low, high = math.floor(min(values) / step + 1e-9) * step, math.ceil(max(values) / step - 1e-9) * step
    # Where all values are one that lies on a grid line, the picture still has a height.
    height = max(_HEIGHT, _TOP + _LINE * (len(chart.series) + len(chart.drawn_levels)) + _BELOW)
    return _Scale(chart.places, chart.axis, low, max(high, low + step), height)


def _step(span: float) -> float:
    """A round distance between grid lines, four to eight of them."""
    rough = max(span, 0.01) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _head(chart: Chart, height: float) -> str:
    quantity = "number of labelled queries" if chart.axis is AXES["labels"] else chart.axis.title
    title = f"{chart.metric} by {quantity}, {chart.title}"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, '
        'sans-serif" role="img">'
    )
    background = f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join(
        [opening, f"<title>{escape(title)}</title>", background, _text(_LEFT, 28, title, size=16, weight="600")]
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    colour: str = "#222222",
    anchor: str = "start",
    weight: str = "400",
) -> str:
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _grid(scale: _Scale) -> list[str]:
    step = _step(scale.high - scale.low)
    digits = max(2, -math.floor(math.log10(step)))
    parts = []
    for number in range(round((scale.high - scale.low) / step) + 1):
        value = scale.low + number * step
        parts.append(_stroke(_LEFT, scale.y(value), _RIGHT, scale.y(value), 'stroke="#dddddd"'))
        parts.append(_text(_LEFT - 8, scale.y(value) + 4, f"{value:.{digits}f}", anchor="end"))
    for place in _spaced_ticks(scale):
        parts.append(_stroke(scale.x(place), scale.bottom, scale.x(place), scale.bottom + 5, 'stroke="#555555"'))
        parts.append(_text(scale.x(place), scale.bottom + 20, amount_text(place, scale.axis), anchor="middle"))
    parts.append(_text((_LEFT + _RIGHT) / 2, scale.bottom + 38, f"{scale.axis.title} (log scale)", anchor="middle"))
    return parts


def _spaced_ticks(scale: _Scale) -> list[float]:
    """Places whose labels do not run into each other."""
    kept: list[float] = []
    for place in scale.places:
        if not kept or scale.x(place) - scale.x(kept[-1]) > 44:
            kept.append(place)
    return kept


def _level(level: ReferenceLevel, scale: _Scale) -> str:
    return _stroke(_LEFT, scale.y(level.mean), _RIGHT, scale.y(level.mean), 'stroke="#777777" stroke-dasharray="3 4"')


def _band(path: list[_Corner], colour: str, scale: _Scale) -> str:
    upper = [(scale.x(corner.x), scale.y(corner.high)) for corner in path]
    lower = [(scale.x(corner.x), scale.y(corner.low)) for corner in reversed(path)]
    if len(upper) == 1:
        return _stroke(*upper[0], *lower[0], f'stroke="{colour}" stroke-opacity="0.5"')
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in upper + lower)
    return f'<polygon points="{corners}" fill="{colour}" fill-opacity="0.15"/>'


def _line(one: Series, path: list[_Corner], style: SeriesStyle, scale: _Scale) -> str:
    corners = " ".join(f"{scale.x(corner.x):.1f},{scale.y(corner.mean):.1f}" for corner in path)
    dash = " ".join(map(str, style.dash))
    line = (
        f'<polyline points="{corners}" fill="none" stroke="{style.colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    )
    return line + "".join(_marker(style, scale.x(point.x), scale.y(point.mean)) for point in one.points)


def _marker(style: SeriesStyle, x: float, y: float) -> str:
    inside = style.colour if style.filled else "#ffffff"
    ink = f'fill="{inside}" stroke="{style.colour}" stroke-width="{0 if style.filled else 1.6}"'
    return f'<path d="{MARKERS[style.shape]}" transform="translate({x:.1f},{y:.1f})" {ink}/>'


@dataclass(frozen=True)
class _Label:
    name: str
    mean: float
    x: float
    """Where the line ends."""
    style: SeriesStyle | None
    """None for a level."""


def _labels(chart: Chart, styles: Sequence[SeriesStyle], scale: _Scale) -> list[str]:
    """The name and last mean of every line behind its marker, joined to its end: colours repeat and lines end at one
    place."""
    ends = zip(chart.series, styles, strict=True)
    labels = [_Label(one.name, one.points[-1].mean, scale.x(one.points[-1].x), style) for one, style in ends]
    labels += [_Label(level.title, level.mean, _RIGHT, None) for level in chart.drawn_levels]
    labels.sort(key=lambda label: -label.mean)
    names = shortened([label.name for label in labels], _LONGEST - len("  0.000"))
    heights = _spread([scale.y(label.mean) for label in labels], scale.height)
    parts = []
    for label, name, y in zip(labels, names, heights, strict=True):
        colour = label.style.colour if label.style else "#555555"
        style = f'stroke="{colour}" stroke-width="0.8" stroke-dasharray="1 3"'
        parts.append(_stroke(label.x + 7, scale.y(label.mean), _RIGHT + 14, y, style))
        if label.style:
            parts.append(_marker(label.style, _RIGHT + 22, y))
        parts.append(
            _text(_RIGHT + 32, y + 4, f"{name}  {label.mean:.3f}", colour="#222222" if label.style else "#555555")
        )
    return parts


def _spread(wanted: Sequence[float], height: float) -> list[float]:
    """Heights as near to `wanted` (ascending) as a line of text apart allows by least squares, inside the picture where
    they fit."""

    # Less the lines above each, the heights must only not fall, which bounds only clip.
    level = [place - _LINE * number for number, place in enumerate(spread(wanted, _LINE))]
    lowest = height - 24 - _LINE * (len(wanted) - 1)
    return [max(_TOP - 20, min(lowest, place)) + _LINE * number for number, place in enumerate(level)]
