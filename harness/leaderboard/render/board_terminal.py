"""The board in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from harness.leaderboard import row_texts
from harness.leaderboard.board import Board
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column, filled, marked
from harness.leaderboard.column_layouts import arranged, method_details
from harness.leaderboard.curves.ascii import plot
from harness.leaderboard.curves.series import chart, select
from harness.leaderboard.overview.headline import headline, words_of
from harness.leaderboard.row_sections import By, sections
from harness.text import counted

_STYLES = {"ours": "bold", "baseline": "", "reference": "italic", "control": "italic", "external": ""}
_METHOD = 24
"""Least columns for the method's name and settings."""
_CELL = ("method", "baseline")
"""Columns that are in the cell of the method at any width."""
SEES = "sees"
"""A column where there is room, otherwise words below the method's name; the heading alone where that says it."""


def terminal(board: Board, by: By | None = None) -> Group:
    """The board with its budget curves; everything fits into 100 columns, narrower terminals are told what is left
    out."""
    parts: list[RenderableType] = [summary(table) for table in board.tables]
    for table in board.tables:
        parts += [*(_Fitting(part, heading, table) for heading, part in sections(table, by)), _LeftOut(table)]
        parts.append(Text(row_texts.caption(table) + "\n", style="dim"))
        curves = chart(table)
        if curves and len(curves.budgets) > 1:
            parts += [Text(f"{curves.metric} by number of labels"), figure(plot(select(curves))), Text()]
    if not board.tables:
        parts.append(Text(f"no published runs in {board.folder}"))
    parts += [Text(f"note: {note}") for note in board.notes]
    parts += [Text(f"skipped {item.folder}: {item.reason}", style="yellow") for item in board.skipped]
    return Group(*parts)


def summary(table: Table) -> RenderableType:
    """What the verdicts of a table say, sentence by sentence."""
    lines = RichTable.grid(padding=(0, 1))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for sentence in headline(table):
        lines.add_row("·", Text(words_of(sentence)))
    return Group(Text(f"{table.collection} · {table.split}", style="bold"), lines, Text())


def figure(drawn: str) -> Text:
    """A plot in characters; a narrow terminal cuts its lines with a sign, for a broken line is no picture."""
    return Text(drawn, no_wrap=True, overflow="ellipsis")


@dataclass(frozen=True)
class _Fitting:
    """Rows of a table that leave out the less important columns where the terminal is narrow, all parts of one table
    the same ones."""

    part: Table
    heading: str
    whole: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        fitting, found = _fitting(self.whole, options.max_width)
        # Of a terminal that is narrower than the columns that are always there the right is cut, never the names.
        least = _METHOD + 3 + sum(_width(column, self.whole.rows) for column in fitting)
        wide = options.update(max_width=max(options.max_width, least))
        yield from console.render(_drawn(self.part, self.heading, fitting, found), wide)


@dataclass(frozen=True)
class _LeftOut:
    """What a narrow terminal does not show of a table."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        shown, rest = _fitting(self.table, options.max_width)
        left_out = [column.heading for column in rest if column not in shown and not _in_the_cell(column)]
        if left_out:
            yield Text(f"no room here for: {', '.join(left_out)}")


def _fitting(table: Table, width: int) -> tuple[list[Column], tuple[Column, ...]]:
    """The columns that are shown in so many characters, and all that there are."""
    found = filled(arranged("terminal", table), table.rows)
    own = [column for column in found if column.name not in _CELL and column.group != "settings"]
    room, fitting = width - _METHOD - 3, []
    for column in sorted(own, key=lambda column: column.rank):
        needed = _width(column, table.rows)
        if column.rank == 0 or needed <= room:
            room -= needed
            fitting.append(column)
    return [column for column in own if column in fitting], found


def _in_the_cell(column: Column) -> bool:
    """Whether it needs no column: what it says stands in the cell of the method."""
    return column.name in (*_CELL, SEES) or column.group == "settings"


def _width(column: Column, rows: Sequence[Row]) -> int:
    """In characters, with the space around it; a mean has room for its mark."""
    texts = max((len(column.text(row)) + column.leads for row in rows), default=0)
    return 2 + max(len(column.heading), texts)


def _drawn(part: Table, heading: str, fitting: Sequence[Column], found: Sequence[Column]) -> RichTable:
    """`heading` stands over a part of a table, and says what its rows see."""
    about = f"{part.collection} · {part.split} · {counted(part.queries, 'query')}"
    title = Text(f"{about} · {heading}" if heading else about, style="bold")
    shown = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=False)
    place, *others = [column for column in fitting if not (heading and column.name == SEES)]
    shown.add_column(place.heading, justify="right")
    shown.add_column("method", overflow="fold", min_width=_METHOD)
    for column in others:
        shown.add_column(Text(column.heading), justify="left" if column.kind == "text" else "right", no_wrap=True)
    # What has no column of its own stands below the name of the method.
    below = [
        column
        for column in found
        if _in_the_cell(column) and column not in fitting and not (heading and column.name == SEES)
    ]
    for row in part.rows:
        cells = (Text(marked(column, row) + " " * (column.leads and not row_texts.mark(row))) for column in others)
        shown.add_row(place.text(row), _method(row, below), *cells)
    return shown


def _method(row: Row, below: Sequence[Column]) -> Text:
    shown = Text(row.method, style=_STYLES[row.category])
    shown.append(f"  {row.category}", style="dim not bold")
    given = [f"sees {row_texts.sees(row)}" for column in below if column.name == SEES]
    against = [
        f"{column.heading} {column.text(row)}" for column in below if column.name == "baseline" and column.text(row)
    ]
    for line in filter(None, (" · ".join([*method_details(below, row), *given, row_texts.evidence(row)]), *against)):
        shown.append(f"\n{line}", style="dim not bold")
    if row.flags:
        shown.append(f"\n! {' · '.join(row.flags)}", style="yellow not bold")
    return shown
