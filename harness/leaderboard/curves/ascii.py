"""A budget curve in characters."""

from __future__ import annotations

import itertools
import math
from string import ascii_uppercase

from harness.leaderboard.curves.series import Chart, amount_text

WIDTH = 64
HEIGHT = 13


def plot(chart: Chart) -> str:
    """The chart as text: letters are the points of a series, dots join them, dashes are levels. The axis is
    logarithmic."""
    columns = dict(zip(chart.places, _columns(chart.places), strict=True))
    low, high = _range(chart)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def row_of(value: float) -> int:
        return round((high - value) / (high - low) * (HEIGHT - 1))

    for level in chart.drawn_levels:
        grid[row_of(level.mean)] = ["-"] * WIDTH
    for one in chart.series:
        places = [(columns[point.x], point.mean) for point in one.points]
        for (left, start), (right, stop) in itertools.pairwise(places):
            for column in range(left + 1, right):
                grid[row_of(start + (stop - start) * (column - left) / (right - left))][column] = "·"
    for letter, one in zip(ascii_uppercase, chart.series, strict=False):
        for point in one.points:
            row = grid[row_of(point.mean)]
            column = columns[point.x]
            row[column] = letter if row[column] in " ·-" else "*"
    return "\n".join([*_body(grid, low, high), _axis(columns, chart), *_legend(chart)])


def _columns(places: list[float]) -> list[int]:
    logs = [math.log(place) for place in places]
    width = logs[-1] - logs[0]
    return [round(2 + (log - logs[0]) / width * (WIDTH - 5)) if width else WIDTH // 2 for log in logs]


def _range(chart: Chart) -> tuple[float, float]:
    values = [point.mean for one in chart.series for point in one.points] + [level.mean for level in chart.drawn_levels]
    margin = max((max(values) - min(values)) * 0.05, 0.001)
    return min(values) - margin, max(values) + margin


def _body(grid: list[list[str]], low: float, high: float) -> list[str]:
    step = (high - low) / (HEIGHT - 1)
    return [
        f"{high - number * step:6.3f} │{''.join(row).rstrip()}"
        if number % 3 == 0
        else f"       │{''.join(row).rstrip()}"
        for number, row in enumerate(grid)
    ]


def _axis(columns: dict[float, int], chart: Chart) -> str:
    line = [" "] * (WIDTH + 8)
    for place, column in columns.items():
        label = amount_text(place, chart.axis)
        start = max(0, min(column + 8 - len(label) // 2, len(line) - len(label)))
        if all(letter == " " for letter in line[max(0, start - 1) : start + len(label) + 1]):
            line[start : start + len(label)] = label
    return f"       └{'─' * WIDTH}\n{''.join(line).rstrip()} {chart.axis.unit}"


def _legend(chart: Chart) -> list[str]:
    letters = [f"  {letter} {one.name}" for letter, one in zip(ascii_uppercase, chart.series, strict=False)]
    levels = [f"  - {level.title} {level.mean:.3f}" for level in chart.drawn_levels]
    outside = [f"  {chart.outside}"] if chart.outside else []
    return [*letters, *levels, *outside, *([f"  ({chart.left_out} more in the table)"] if chart.left_out else [])]
