"""A table of the board for `st.dataframe`: the columns are those of `harness.leaderboard.columns`, here is only how a
page sets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard.frame import WIDE
from dashboard.text import literal, run_address
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column, filled
from harness.leaderboard.column_layouts import arranged, method_lines

_FORMATS = {"money": "%.2f", "seconds": "%.0f", "share": "percent"}
_OWN_FORMATS = {"budget": "localized", "tokens": "compact", "lead": "%.3f", "others": "%.3f"}
_WIDTHS: dict[str, int | str] = {
    "rank": 34,
    "method": WIDE,
    "budget": 56,
    "lead": 76,
    "others": 76,
    "interval": 96,
    "against_baseline": 148,
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
CARD, ABOUT = "card", "what it is"
_FIRST = ("labels", "95 %", "USD")
"""Columns before these links."""


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

    The first ones fit a laptop's screen and answer what is asked first: who wins, is it real, at which budget, for how
    much money. What to know before believing a row, and which configuration it is, stand below its method's name, which
    stays in sight. A phone shows the first three.
    """
    return [column for column in filled(arranged("page", table), rows) if display.shows(column)]


def page_values(table: Table, rows: Sequence[Row], display: TableDisplay) -> dict[str, list[Any]]:
    """Values by heading, as long as `rows`: numbers where they can be sorted by, otherwise texts."""
    found: dict[str, list[Any]] = {}
    available = arranged("page", table)
    for column in displayed_columns(table, rows, display):
        if column.name == "method":
            found[column.heading_of_values] = [" · ".join(method_lines(available, row)) for row in rows]
            continue
        cell = column.text if column.kind in ("text", "interval") else column.value
        found.setdefault(column.heading_of_values, [cell(row) for row in rows])
    return found


def with_links(table: Table, rows: Sequence[Row], display: TableDisplay) -> dict[str, list[Any]]:
    """`page_values` with links behind what a reader asks first: to what is behind the numbers of a row, and to what its
    method is."""
    found = list(page_values(table, rows, display).items())
    place = 1 + max(number for number, (heading, _) in enumerate(found) if heading in (*_FIRST, table.metric))
    return dict([*found[:place], *_links(table, rows).items(), *found[place:]])


def _links(table: Table, rows: Sequence[Row]) -> dict[str, list[str]]:
    """Addresses by heading: the first run of each row with its card and command, and what its method is."""
    about = [urlencode({"collection": table.name, "method": row.method}) for row in rows]
    return {
        CARD: [run_address(table, row.run_ids[0]) for row in rows],
        ABOUT: [f"methods?{address}" for address in about],
    }


def column_config(table: Table) -> dict[str, Any]:
    """How each column is shown, and what it means."""
    found = {column.heading_of_values: _config(column) for column in arranged("page", table)}
    said = {CARD: "The first run of the row: its scores, its card, and the command that makes it again.", ABOUT: ""}
    links = {
        heading: st.column_config.LinkColumn(help=help_text or None, display_text="open", width=70)
        for heading, help_text in said.items()
    }
    return {**found, **links}


def _config(column: Column) -> Any:
    options: dict[str, Any] = {"help": literal(column.help) or None, "width": _WIDTHS.get(column.layout_name)}
    if column.name in ("rank", "method"):
        options["pinned"] = True
    if column.kind in ("text", "interval"):
        return st.column_config.TextColumn(**options)
    return st.column_config.NumberColumn(
        format=_OWN_FORMATS.get(column.layout_name) or _FORMATS.get(column.kind), **options
    )
