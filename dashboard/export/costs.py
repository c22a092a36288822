"""What quality costs, and where the time went, for exported pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dashboard.export.grid import Grid, cell, column, grid
from harness.evaluation.significance.comparison_tables import p_text
from harness.leaderboard.board_model import Table
from harness.leaderboard.curves.frontier import LABELLED, PRICES, frontier, unpriced
from harness.leaderboard.inspect.stage_costs import split_by_stage
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.render.curve_terminal import frontier_notes
from harness.leaderboard.row_texts import titles


class PriceTable(NamedTuple):
    """Rows that use labels by one price, and what was compared how."""

    title: str
    grid: Grid
    notes: str


def price_tables(result_set: ResultSet, table: Table) -> Iterator[PriceTable]:
    """A table for every price that any row has; none where no row uses labels."""
    lacking = unpriced(table.rows)
    for price in PRICES:
        if price in lacking:
            continue
        found = frontier(result_set, table, list(titles(table).items()), price, among=LABELLED)
        headings = [column("standing"), column("row", "text", "wide"), column(found.title, "number")]
        headings += [column(table.metric, "number"), column("beaten by", "text", "name"), column("p adj.", "number")]
        rows = [
            [
                cell(one.status),
                cell(one.title),
                cell(one.price, ",.4g"),
                cell(one.mean, ".3f"),
                cell(one.beaten_by),
                cell(one.p_adjusted)._replace(text="" if one.p_adjusted is None else p_text(one.p_adjusted)),
            ]
            for one in found.rows
        ]
        if rows:
            yield PriceTable(found.title, grid(headings, rows), frontier_notes(found))


def stage_grid(result_set: ResultSet, table: Table) -> Grid | None:
    """Seconds of every row by kind of stage; None where the cards tell of none."""
    split = split_by_stage(result_set, table, list(titles(table).items()))
    if not split or not split[0].seconds:
        return None
    kinds = [*split[0].seconds]
    rows = [
        [cell(one.name), *(cell(one.seconds[kind], ",.1f") for kind in kinds), cell(one.total, ",.1f")] for one in split
    ]
    return grid([column("row", "text", "wide"), *(column(kind, "number") for kind in [*kinds, "sum"])], rows)
