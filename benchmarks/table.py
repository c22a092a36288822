"""The rows of a benchmark run for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from benchmarks.measure import Row


def rendered(rows: Sequence[Row]) -> Table:
    """Seconds and peak MB of both, their ratio, the goal and whether it was met."""
    table = Table("what", "work", "peer", "s", "MB", "ratio", "goal", box=None, pad_edge=False)
    for column in table.columns[3:6]:
        column.justify = "right"
        column.no_wrap = True
    for row in rows:
        if row.failure or row.ours is None:
            table.add_row(row.name, row.work, f"[red]failed: {row.failure}[/red]")
            continue
        sides = [side for side in (row.ours, row.theirs) if side is not None]
        seconds = " / ".join(_seconds(side.seconds) for side in sides)
        memory = " / ".join(f"{side.peak_mb:,.0f}" for side in sides)
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        table.add_row(row.name, _work(row), row.peer, seconds, memory, ratio, _goal(row))
    return table


def line(row: Row) -> str:
    """What came out, for those who wait for the rest."""
    if row.failure or row.ours is None:
        return f"{row.name}: failed: {row.failure}"
    told = (
        f"{row.ratio:.2f} times as fast as {row.peer}" if row.ratio is not None else f"{_seconds(row.ours.seconds)} s"
    )
    verdict = "" if row.met is None else f" ({row.goal}: {'met' if row.met else 'missed'})"
    return f"{row.name}: {told}{verdict}"


def _work(row: Row) -> str:
    sides = [side for side in (row.ours, row.theirs) if side is not None]
    values = " / ".join(f"{side.quality:.4g}" for side in sides if side.quality is not None)
    told = [row.work, f"{row.quality} {values}" if values else "", *dict.fromkeys(side.note for side in sides)]
    return "; ".join(part for part in told if part)


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def _goal(row: Row) -> str:
    if row.met is None:
        return ""
    return f"{row.goal}: " + ("[green]met[/green]" if row.met else "[red]missed[/red]")


def as_json(row: Row) -> dict[str, Any]:
    """One object a row; a side that was not measured is null."""
    return {**asdict(row), "ratio": row.ratio}
