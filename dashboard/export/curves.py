"""Budget curves for exported pages: a picture for every metric, and the points of every axis as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from typing import NamedTuple

from dashboard.export.grid import Grid, GridCell, cell, column, grid
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Table
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.fitted import statistics_of
from harness.leaderboard.curves.series import Chart, chart, select
from harness.leaderboard.curves.svg import svg
from harness.leaderboard.curves.targets import labels_needed
from harness.leaderboard.load_results import ResultSet

_FORMS = {"usd": ",.4f", "tokens": ",.0f"}


class Picture(NamedTuple):
    """The curves of one metric over one axis as an SVG document, its texts escaped."""

    title: str
    svg: str


class Points(NamedTuple):
    """Every point of the curves over one axis."""

    name: str
    title: str
    grid: Grid


def curve_pictures(result_set: ResultSet, table: Table) -> Iterator[Picture]:
    """The fitted curves by the leading metric over every axis, then the means by the other metrics and number of
    labels.

    None that would be empty.
    """
    for name, axis in AXES.items():
        drawn = chart(table, name)
        if drawn is not None:
            shown = select(drawn)
            yield Picture(f"{table.metric} by {axis.title}", svg(shown, statistics_of(result_set, table, shown)))
    for metric in table.metrics:
        drawn = chart(replace(table, metric=metric)) if metric != table.metric else None
        if drawn is not None:
            yield Picture(f"{metric} by {drawn.axis.title}", svg(select(drawn)))


def area_grid(result_set: ResultSet, table: Table) -> Grid | None:
    """What each drawn curve by number of labels is, and how many labels it takes to reach each row without labels."""
    drawn = chart(table)
    found = statistics_of(result_set, table, select(drawn)) if drawn is not None else None
    if found is None:
        return None
    needed = {name: {one.series: one for one in labels_needed(found, target)} for name, target in found.targets.items()}
    headings = [
        column("series", "text", "wide"),
        column("fit"),
        column("area", "number"),
        column("95 %", "text", "tight"),
    ]
    headings += [column(f"labels to reach {name}", "number", "name") for name in needed]
    rows = []
    for one in found.fitted:
        reached = [told[one.series.name] for told in needed.values()]
        area = one.area
        bounds = (
            cell(None)
            if area is None
            else cell(f"[{row_texts.number(area.interval.low)}, {row_texts.number(area.interval.high)}]")
        )
        amounts = [
            GridCell(item.words, str(item.amount.value) if isfinite(item.amount.value) else "") for item in reached
        ]
        rows.append(
            [cell(one.series.name), cell(one.curve.fit.name), cell(area and area.value, ".3f"), bounds, *amounts]
        )
    return grid(
        [*headings, column("notes", "text", "wide")],
        [[*row, cell("; ".join(one.notes))] for row, one in zip(rows, found.fitted, strict=True)],
    )


def point_grids(table: Table) -> Iterator[Points]:
    """The points by the leading metric, over each axis that any row stands on."""
    for name, axis in AXES.items():
        drawn = chart(table, name)
        if drawn is not None:
            yield Points(name, axis.title, _grid(drawn, name))


def _grid(drawn: Chart, name: str) -> Grid:
    axis = [] if name == "labels" else [column(drawn.axis.unit, "number")]
    headings = [column("series", "text", "wide"), column("labels", "number"), *axis]
    headings += [column(heading, "number") for heading in (drawn.metric, "low", "high", "runs")]
    rows = [
        [
            cell(one.name),
            cell(point.budget, ",d"),
            *([cell(point.x, _FORMS[name])] if axis else []),
            *(cell(value, ".3f") for value in (point.mean, point.low, point.high)),
            cell(point.runs),
        ]
        for one in drawn.series
        for point in one.points
    ]
    nothing = cell(None)
    levels = [
        [cell(one.name), cell(0), *([cell(0)] if axis else []), cell(one.mean, ".3f"), nothing, nothing, nothing]
        for one in drawn.levels
    ]
    return grid(headings, [*rows, *levels])


def curve_note(table: Table) -> str:
    """What low and high are; empty where there is no curve."""
    drawn = chart(table)
    return "" if drawn is None else drawn.note
