"""A table of the board for `st.dataframe`: the columns are those of `harness.leaderboard.columns`, here is only how a
page sets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.text import literal
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column, filled
from harness.leaderboard.column_layouts import arranged

_FORMATS = {"money": "%.2f", "seconds": "%.0f", "share": "percent"}
_OWN_FORMATS = {"budget": "localized", "tokens": "compact", "lead": "%.3f", "others": "%.3f"}
_WIDTHS: dict[str, int | str] = {
    "rank": 34,
    "method": 108,
    "budget": 56,
    "lead": 76,
    "others": 76,
    "interval": 96,
    "against_baseline": 124,
    "usd": 50,
    "flags": 90,
    "variant": 138,
    "teacher": 74,
    "losses": 95,
    "baseline": 200,
    "runs": 55,
    "uncertain_by": "medium",
}
"""Pixels that the values need."""


@dataclass(frozen=True)
class TableDisplay:
    """Which groups of columns are shown."""

    intervals: bool = True
    tests: bool = True
    others: bool = True
    costs: bool = True
    labels: bool = False

    def shows(self, column: Column) -> bool:
        """Whether the group of `column` is shown; what is asked first is always there."""
        groups = {
            "intervals": self.intervals,
            "tests": self.tests,
            "metrics": self.others,
            "costs": self.costs,
            "labels": self.labels,
        }
        return groups.get(column.group, True)


def displayed_columns(table: Table, rows: Sequence[Row], display: TableDisplay) -> list[Column]:
    """The columns of `table` on a page that shows `rows` of it.

    The first ones fit a laptop's screen and answer what is asked first: who wins, at which budget, is it real, for how
    much money, what to know before believing it, and which configuration it is. A phone shows the first four.
    """
    return [column for column in filled(arranged("page", table), rows) if display.shows(column)]


def page_values(table: Table, rows: Sequence[Row], display: TableDisplay) -> dict[str, list[Any]]:
    """Values by heading, as long as `rows`: numbers where they can be sorted by, otherwise texts."""
    found: dict[str, list[Any]] = {}
    for column in displayed_columns(table, rows, display):
        cell = column.text if column.kind in ("text", "interval") else column.value
        found.setdefault(column.heading_of_values, [cell(row) for row in rows])
    return found


def column_config(table: Table) -> dict[str, Any]:
    """How each column is shown, and what it means."""
    return {column.heading_of_values: _config(column) for column in arranged("page", table)}


def _config(column: Column) -> Any:
    options: dict[str, Any] = {"help": literal(column.help) or None, "width": _WIDTHS.get(column.layout_name)}
    if column.name == "rank":
        options["pinned"] = True
    if column.kind in ("text", "interval"):
        return st.column_config.TextColumn(**options)
    return st.column_config.NumberColumn(
        format=_OWN_FORMATS.get(column.layout_name) or _FORMATS.get(column.kind), **options
    )
