"""A budget curve as SVG, for a README or a paper: told apart by colour, dash and marker, labelled at the lines themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from harness.board.axes import AXES, Axis
from harness.board.curves import Chart, Level, Series, chart, select, shown
from harness.board.model import Board
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.board.curve_statistics import Statistics
    from harness.evaluation.budget_curves import Band

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6E6E6E", "#8C6BB1")
"""Okabe and Ito's palette, which colour-blind readers can tell apart, with violet for its yellow and grey for its black (dark pages)."""
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4", "1 3", "6 2 2 2")
_MARKERS = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
    "M-4,-4h8v8h-8z",
    "M0,-5l5,9h-10z",
    "M0,-5l5,5l-5,5l-5,-5z",
    "M0,5l5,-9h-10z",
    "M-5,-1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
    "M-4,-4h8v8h-8z",
)
_WIDTH, _HEIGHT = 960, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 590, 52, 420
_LINE = 16
_LONGEST = 52


@dataclass(frozen=True)
class _Scale:
    places: list[float]
    axis: Axis
    low: float
    high: float

    def x(self, place: float) -> float:
        first, last = math.log(self.places[0]), math.log(self.places[-1])
        share = (math.log(place) - first) / (last - first) if last > first else 0.5
        return _LEFT + 16 + share * (_RIGHT - _LEFT - 32)

    def y(self, value: float) -> float:
        return _BOTTOM - (value - self.low) / (self.high - self.low) * (_BOTTOM - _TOP)


def svg(chart: Chart, statistics: Statistics | None = None) -> str:
    """The chart, its best series of each method first, as an SVG document.

    Lines and bands are the fits of `statistics`, markers the means that were measured; without it lines join the markers.
    """
    drawn = select(chart, len(COLOURS))
    fits = {one.series.name: one.band for one in statistics.fitted} if statistics else {}
    paths = {one.name: _path(one, fits.get(one.name)) for one in drawn.series}
    scale = _scale(drawn, paths.values())
    styles = list(zip(drawn.series, COLOURS, _DASHES, _MARKERS, strict=False))
    parts = [_head(drawn), *_grid(scale), *(_level(level, scale) for level in drawn.levels)]
    parts += [_band(paths[one.name], colour, scale) for one, colour, _, _ in styles]
    parts += [_line(one, paths[one.name], (colour, dash, marker), scale) for one, colour, dash, marker in styles]
    parts += _labels(drawn, scale)
    parts.append(_text(_LEFT, _HEIGHT - 8, statistics.said if statistics else drawn.note, size=11, colour="#555555"))
    return "\n".join([*parts, "</svg>\n"])


def write_svg(chart: Chart, path: Path, statistics: Statistics | None = None) -> None:
    """Write `svg(chart, statistics)` to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg(chart, statistics), encoding="utf-8")


def draw(board: Board, path: Path) -> None:
    """Write the curves of the board's first table that has any. Raises UserError where there are none."""
    curves = next((found for table in board.tables if (found := chart(table)) is not None), None)
    if curves is None:
        raise UserError("no run has a budget, so there is no curve to draw", file=path)
    write_svg(curves, path)


class _Corner(NamedTuple):
    """A place of a line with its band."""

    x: float
    mean: float
    low: float
    high: float


def _path(one: Series, fit: Band | None) -> list[_Corner]:
    if fit is None or len(one.points) == 1:
        return [_Corner(point.x, point.mean, point.low, point.high) for point in one.points]
    return [_Corner(*corner) for corner in zip(*(part.tolist() for part in (fit.amounts, fit.mean, fit.low, fit.high)), strict=True)]


def _scale(chart: Chart, paths: Iterable[list[_Corner]]) -> _Scale:
    values = [bound for path in paths for corner in path for bound in (corner.low, corner.high)]
    values += [point.mean for one in chart.series for point in one.points] + [level.mean for level in chart.levels]
    step = _step(max(values) - min(values))
    low, high = math.floor(min(values) / step + 1e-9) * step, math.ceil(max(values) / step - 1e-9) * step
    # Where all values are one that lies on a grid line, the picture still has a height.
    return _Scale(chart.places, chart.axis, low, max(high, low + step))


def _step(span: float) -> float:
    """A round distance between grid lines, four to eight of them."""
    rough = max(span, 0.01) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _head(chart: Chart) -> str:
    quantity = "number of labelled queries" if chart.axis is AXES["labels"] else chart.axis.title
    title = f"{chart.metric} by {quantity}, {chart.title}"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="system-ui, sans-serif" role="img">'
    background = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    return "\n".join([opening, f"<title>{escape(title)}</title>", background, _text(_LEFT, 28, title, size=16, weight="600")])


def _text(x: float, y: float, text: str, *, size: int = 12, colour: str = "#222222", anchor: str = "start", weight: str = "400") -> str:
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
    for place in _apart(scale):
        parts.append(_stroke(scale.x(place), _BOTTOM, scale.x(place), _BOTTOM + 5, 'stroke="#555555"'))
        parts.append(_text(scale.x(place), _BOTTOM + 20, shown(place, scale.axis), anchor="middle"))
    parts.append(_text((_LEFT + _RIGHT) / 2, _BOTTOM + 38, f"{scale.axis.title} (log scale)", anchor="middle"))
    return parts


def _apart(scale: _Scale) -> list[float]:
    """Places whose labels do not run into each other."""
    kept: list[float] = []
    for place in scale.places:
        if not kept or scale.x(place) - scale.x(kept[-1]) > 44:
            kept.append(place)
    return kept


def _level(level: Level, scale: _Scale) -> str:
    return _stroke(_LEFT, scale.y(level.mean), _RIGHT, scale.y(level.mean), 'stroke="#777777" stroke-dasharray="3 4"')


def _band(path: list[_Corner], colour: str, scale: _Scale) -> str:
    upper = [(scale.x(corner.x), scale.y(corner.high)) for corner in path]
    lower = [(scale.x(corner.x), scale.y(corner.low)) for corner in reversed(path)]
    if len(upper) == 1:
        return _stroke(*upper[0], *lower[0], f'stroke="{colour}" stroke-opacity="0.5"')
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in upper + lower)
    return f'<polygon points="{corners}" fill="{colour}" fill-opacity="0.15"/>'


def _line(one: Series, path: list[_Corner], style: tuple[str, str, str], scale: _Scale) -> str:
    colour, dash, marker = style
    corners = " ".join(f"{scale.x(corner.x):.1f},{scale.y(corner.mean):.1f}" for corner in path)
    line = f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    places = [(scale.x(point.x), scale.y(point.mean)) for point in one.points]
    return line + "".join(f'<path d="{marker}" transform="translate({x:.1f},{y:.1f})" fill="{colour}"/>' for x, y in places)


@dataclass(frozen=True)
class _Label:
    text: str
    colour: str
    x: float
    y: float
    """Where the line ends."""


def _labels(chart: Chart, scale: _Scale) -> list[str]:
    ends = [(one, one.points[-1]) for one in chart.series]
    labels = [
        _Label(f"{one.name}  {end.mean:.3f}", colour, scale.x(end.x), scale.y(end.mean))
        for (one, end), colour in zip(ends, cycle(COLOURS), strict=False)
    ]
    labels += [_Label(f"{level.name}  {level.mean:.3f}", "#555555", _RIGHT, scale.y(level.mean)) for level in chart.levels]
    labels.sort(key=lambda label: label.y)
    parts = []
    for label, y in zip(labels, _spread([label.y for label in labels]), strict=True):
        text = label.text if len(label.text) <= _LONGEST else f"{label.text[: _LONGEST - 8]}…{label.text[-7:]}"
        style = f'stroke="{label.colour}" stroke-width="0.8" stroke-dasharray="1 3"'
        parts.append(_stroke(label.x + 7, label.y, _RIGHT + 14, y, style))
        parts.append(_text(_RIGHT + 18, y + 4, text, colour=label.colour))
    return parts


def _spread(wanted: Sequence[float]) -> list[float]:
    """Heights as near to `wanted` (ascending) as a line of text apart allows, inside the picture where they fit."""
    heights = list(wanted)
    for _ in range(200):
        moved = False
        for (above, upper), (below, lower) in pairwise(list(enumerate(heights))):
            gap = _LINE - (lower - upper)
            if gap > 0.01:
                heights[above], heights[below] = heights[above] - gap / 2, heights[below] + gap / 2
                moved = True
        if not moved:
            break
    shift = max(0.0, _TOP - 20 - heights[0]) - max(0.0, heights[-1] - _HEIGHT + 24) if heights else 0.0
    return [height + shift for height in heights]
