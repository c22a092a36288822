"""The board as CSV, LaTeX or Markdown."""

from __future__ import annotations

from typing import Any

from harness.leaderboard import row_texts
from harness.leaderboard.board import Board
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column, filled, marked
from harness.leaderboard.column_layouts import arranged, keys_of, method_details
from harness.leaderboard.curves.svg import draw
from harness.leaderboard.render import table_files
from harness.leaderboard.render.board_terminal import terminal
from harness.leaderboard.render.escaping import escaped_latex, escaped_markdown
from harness.leaderboard.row_sections import By, sections
from harness.text import counted

__all__ = ["csv", "draw", "latex", "markdown", "terminal"]
_NOTHING = Table(
    collection="", split="", content_hash="", queries=0, metric="", metrics=(), baseline=None, family="", rows=()
)
"""A board without tables still has headings."""


def csv(board: Board) -> str:
    """All rows and numbers. Text that a spreadsheet would run as a formula is quoted."""
    found = arranged("csv", *(board.tables or [_NOTHING]))
    headings = [key for column in found for key in keys_of(column.name)]
    return table_files.csv(headings, (_values(row, found) for table in board.tables for row in table.rows))


def _values(row: Row, found: tuple[Column, ...]) -> list[Any]:
    values = ((column, column.value(row)) for column in found)
    return [
        column.text(row) if isinstance(value, tuple) else value
        for column, value in values
        for _ in keys_of(column.name)
    ]


def markdown(board: Board, by: By | None = None) -> str:
    """One table a collection and section, in GitHub's Markdown."""
    return "\n".join(_markdown(table, by) for table in board.tables)


def _markdown(table: Table, by: By | None) -> str:
    parts = [_markdown_part(table, part, heading) for heading, part in sections(table, by)]
    return f"{''.join(parts)}{escaped_markdown(row_texts.caption(table))}\n"


def _markdown_part(table: Table, part: Table, heading: str) -> str:
    found, lines = _compact(table, part, heading)
    rule = ["---" if column.kind in ("text", "place") else "---:" for column in found]
    cells = ([escaped_markdown(cell) for cell in line] for line in lines)
    # Names of metrics come from results, so they are text of strangers.
    headings = [escaped_markdown(column.heading) if column.slot else column.heading for column in found]
    body = "\n".join(f"| {' | '.join(line)} |" for line in (headings, rule, *cells))
    return f"**{escaped_markdown(_title(table, heading))}**\n\n{body}\n\n"


def latex(board: Board, by: By | None = None) -> str:
    """One tabular a collection and section; needs the package booktabs."""
    return "\n".join(_latex(table, part, heading) for table in board.tables for heading, part in sections(table, by))


def _latex(table: Table, part: Table, heading: str) -> str:
    found, lines = _compact(table, part, heading)
    align = "".join("l" if column.kind == "text" else "r" for column in found)
    title = f"{_title(table, heading)}. {row_texts.caption(table)}"
    return table_files.latex([escaped_latex(column.heading) for column in found], lines, align, title)


def _title(table: Table, heading: str) -> str:
    about = f"{table.collection}, {table.split}, {counted(table.queries, 'query')}"
    return f"{about}, {heading}" if heading else about


def _compact(table: Table, part: Table, heading: str) -> tuple[list[Column], list[list[str]]]:
    """Columns of `table` and the cells of a `part` of it for a page; the `heading` of a part says already what its rows
    see."""
    found = filled(arranged("document", table), table.rows)
    shown = [column for column in found if column.group != "settings" and not (heading and column.name == "sees")]
    return shown, [[_cell(column, row, found) for column in shown] for row in part.rows]


def _cell(column: Column, row: Row, found: tuple[Column, ...]) -> str:
    return ", ".join([row.method, *method_details(found, row)]) if column.name == "method" else marked(column, row)
