"""The board in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from harness.board import cells
from harness.board.curves import chart, select
from harness.board.model import Board, Row, Table
from harness.board.plot import plot
from harness.evaluation.text import counted

_STYLES = {"ours": "bold", "baseline": "", "reference": "italic", "control": "italic"}
_METHOD = 24
"""Least columns for the method's name and settings."""


def terminal(board: Board) -> Group:
    """The board with its budget curves; everything fits into 100 columns, narrower terminals are told what is left out."""
    parts: list[RenderableType] = []
    for table in board.tables:
        parts += [_Fitting(table), Text(cells.caption(table) + "\n", style="dim")]
        curves = chart(table)
        if curves and len(curves.budgets) > 1:
            parts.append(Text(f"{curves.metric} by number of labels\n{plot(select(curves))}\n"))
    if not board.tables:
        parts.append(Text(f"no published runs in {board.folder}"))
    parts += [Text(f"note: {note}") for note in board.notes]
    parts += [Text(f"skipped {item.folder}: {item.reason}", style="yellow") for item in board.skipped]
    return Group(*parts)


@dataclass(frozen=True)
class _Column:
    heading: str
    texts: list[str]

    @property
    def width(self) -> int:
        """With the space around it."""
        return 2 + max(map(len, [self.heading, *self.texts]))


@dataclass(frozen=True)
class _Fitting:
    """A table that leaves out the less important columns where the terminal is narrow."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        needed, others, costs, last = _columns(self.table)
        places = _Column("#", [cells.place(row) for row in self.table.rows])
        room = options.max_width - places.width - _METHOD - 3 - sum(column.width for column in needed)
        kept = []
        for column in [*others[:2], *costs, *others[2:], *last]:
            if column.width <= room:
                room -= column.width
                kept.append(column)
        yield _drawn(self.table, [column for column in [*needed, *others, *costs, *last] if column in [*needed, *kept]])
        if left_out := [column.heading for column in [*others, *costs, *last] if column not in kept]:
            yield Text(f"no room here for: {', '.join(left_out)}")


def _columns(table: Table) -> tuple[list[_Column], list[_Column], list[_Column], list[_Column]]:
    """Columns that must be there, other metrics, costs, and what is there only where there is room for all these."""
    rows, lead = table.rows, table.metric
    needed = [
        _Column("labels", [cells.labels(row) for row in rows]),
        _Column("runs", [str(row.runs) for row in rows]),
        _Column(lead, [f"{cells.mean(row, lead)}{cells.mark(row) or ' '}" for row in rows]),
        _Column("95 %", [cells.interval(row, lead) for row in rows]),
    ]
    others = [_Column(name, [cells.mean(row, name) for row in rows]) for name in table.metrics if name != lead]
    costs = [_Column("USD", [cells.usd(row) for row in rows]), _Column("train", [cells.training(row) for row in rows])]
    uncertain = [cells.uncertain_by(row) for row in rows]
    return needed, others, costs, [_Column("uncertain by", uncertain)] if any(uncertain) else []


def _drawn(table: Table, columns: list[_Column]) -> RichTable:
    title = f"{table.collection} · {table.split} · {counted(table.queries, 'query')}"
    shown = RichTable(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=False)
    shown.add_column("#", justify="right")
    shown.add_column("method", overflow="fold", min_width=_METHOD)
    for column in columns:
        shown.add_column(Text(column.heading), justify="right", no_wrap=True)
    for number, row in enumerate(table.rows):
        shown.add_row(cells.place(row), _method(row), *(Text(column.texts[number]) for column in columns))
    return shown


def _method(row: Row) -> Text:
    shown = Text(row.method, style=_STYLES[row.group])
    shown.append(f"  {row.group}", style="dim not bold")
    details = " · ".join(part for part in (row.teacher, cells.losses(row), row.variant) if part)
    if details:
        shown.append(f"\n{details}", style="dim not bold")
    if row.flags:
        shown.append(f"\n! {' · '.join(row.flags)}", style="yellow not bold")
    return shown
