"""The board in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Board, Row, Table
from harness.leaderboard.curves.ascii import plot
from harness.leaderboard.curves.series import chart, select
from harness.leaderboard.row_sections import By, sections
from harness.text import counted

_STYLES = {"ours": "bold", "baseline": "", "reference": "italic", "control": "italic"}
_METHOD = 24
"""Least columns for the method's name and settings."""
SEES = "sees"
"""A column where there is room, otherwise words below the method's name; the heading alone where that says it."""


def terminal(board: Board, by: By | None = None) -> Group:
    """The board with its budget curves; everything fits into 100 columns, narrower terminals are told what is left out."""
    parts: list[RenderableType] = []
    for table in board.tables:
        parts += [*(_Fitting(part, heading, table) for heading, part in sections(table, by)), _LeftOut(table)]
        parts.append(Text(row_texts.caption(table) + "\n", style="dim"))
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
    justify: Literal["left", "right"] = "right"

    @property
    def width(self) -> int:
        """With the space around it."""
        return 2 + max(map(len, [self.heading, *self.texts]))


@dataclass(frozen=True)
class _Fitting:
    """Rows of a table that leave out the less important columns where the terminal is narrow, all parts of one table the same ones."""

    part: Table
    heading: str
    whole: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        kept, _ = _fitting(self.whole, options.max_width)
        yield _drawn(self.part, self.heading, kept, len(row_texts.baselines(self.whole)) > 1)


@dataclass(frozen=True)
class _LeftOut:
    """What a narrow terminal does not show of a table."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        _, left_out = _fitting(self.table, options.max_width)
        if left_out:
            yield Text(f"no room here for: {', '.join(left_out)}")


def _fitting(table: Table, width: int) -> tuple[frozenset[str], list[str]]:
    """Headings of the columns that are shown in so many characters, and of those that are not."""
    needed, others, costs, last = _columns(table)
    places = _Column("#", [row_texts.place(row) for row in table.rows])
    room = width - places.width - _METHOD - 3 - sum(column.width for column in needed)
    kept = [column.heading for column in needed]
    for column in [*others[:2], *costs, *others[2:], *last]:
        if column.width <= room:
            room -= column.width
            kept.append(column.heading)
    left_out = [column.heading for column in [*others, *costs, *last] if column.heading not in [*kept, SEES]]
    return frozenset(kept), left_out


def _columns(table: Table) -> tuple[list[_Column], list[_Column], list[_Column], list[_Column]]:
    """Columns that must be there, other metrics, costs, and what is a column only where there is room for all these."""
    rows, lead = table.rows, table.metric
    needed = [
        _Column("labels", [row_texts.labels(row) for row in rows]),
        _Column("runs", [str(row.runs) for row in rows]),
        _Column(lead, [f"{row_texts.mean(row, lead)}{row_texts.mark(row) or ' '}" for row in rows]),
        _Column("95 %", [row_texts.interval(row, lead) for row in rows]),
    ]
    others = [_Column(name, [row_texts.mean(row, name) for row in rows]) for name in table.metrics if name != lead]
    costs = [_Column("USD", [row_texts.usd(row) for row in rows]), _Column("train", [row_texts.training(row) for row in rows])]
    told = [_Column(SEES, [row_texts.sees(row) for row in rows], "left")]
    uncertain = [row_texts.uncertain_by(row) for row in rows]
    return needed, others, costs, [*told, *([_Column("uncertain by", uncertain)] if any(uncertain) else [])]


def _drawn(table: Table, heading: str, parts: frozenset[str], several: bool) -> RichTable:
    """`heading` stands over a part of a table; `several` where its rows are tested against different ones."""
    about = f"{table.collection} · {table.split} · {counted(table.queries, 'query')}"
    title = Text(f"{about} · {heading}" if heading else about, style="bold")
    shown = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=False)
    shown.add_column("#", justify="right")
    shown.add_column("method", overflow="fold", min_width=_METHOD)
    needed, others, costs, last = _columns(table)
    columns = [
        column for column in (*needed, *others, *costs, *last) if column.heading in parts and not (heading and column.heading == SEES)
    ]
    for column in columns:
        shown.add_column(Text(column.heading), justify=column.justify, no_wrap=True)
    for number, row in enumerate(table.rows):
        method = _method(row, SEES not in parts and not heading, several)
        shown.add_row(row_texts.place(row), method, *(Text(column.texts[number]) for column in columns))
    return shown


def _method(row: Row, sees: bool, several: bool) -> Text:
    shown = Text(row.method, style=_STYLES[row.category])
    shown.append(f"  {row.category}", style="dim not bold")
    against = f"tested against {row.against.baseline}" if several and row.against else ""
    given = f"sees {row_texts.sees(row)}" if sees else ""
    details = " · ".join(part for part in (row.teacher, row_texts.losses(row), row.variant, given) if part)
    for line in filter(None, (details, against)):
        shown.append(f"\n{line}", style="dim not bold")
    if row.flags:
        shown.append(f"\n! {' · '.join(row.flags)}", style="yellow not bold")
    return shown
