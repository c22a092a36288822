"""Traces in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from harness.leaderboard.inspect.row_trace import RowTrace
from harness.leaderboard.inspect.trace_steps import JUDGMENTS, TraceStep
from harness.text import counted

FOOT = (
    "agreement: nDCG@10 with the order of the target as gains (by chance: orders by lot have it on average) and "
    "Kendall's τ (by chance 0)"
)


def terminal(found: Sequence[RowTrace]) -> RenderableType:
    """Every row with its line; a row alone also with its steps as a table."""
    parts: list[RenderableType] = []
    for one in found:
        parts += [_head(one), Text(one.line)]
        parts += [_steps(one.steps), Text(FOOT, style="dim")] if len(found) == 1 else []
        parts += [Text(f"! {note}", style="dim") for note in one.notes]
    return Group(*parts)


def _head(one: RowTrace) -> Text:
    return Text(f"{one.collection} · {one.split} · {one.row} · {counted(one.traced, 'run')}", style="bold")


def _steps(steps: Sequence[TraceStep]) -> RichTable:
    table = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=False)
    for number, heading in enumerate(("order of", "on", "by", "", "by chance", "τ", "lists")):
        table.add_column(Text(heading), justify="left" if number < 3 else "right", no_wrap=True)
    for step in steps:
        by = step.metric if step.target == JUDGMENTS else f"{step.metric} of the {step.target}'s order"
        table.add_row(
            *map(Text, (step.model, step.on, by)),
            *(_digits(value) for value in (step.value, step.chance, step.tau)),
            "" if step.lists is None else f"{step.lists:,}",
        )
    return table


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
