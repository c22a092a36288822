"""What a workspace holds and what of it goes, for people."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from harness.pipeline.upkeep.holdings import Need
from harness.text import clock, counted

_NEEDED = (Need.running, Need.result, Need.waiting)


def size_text(number: float) -> str:
    """Bytes for people: 812 bytes, 3.4 MB, 2.20 GB."""
    for unit, size, form in (("GB", 1e9, ".2f"), ("MB", 1e6, ".1f"), ("kB", 1e3, ".0f")):
        if number >= size:
            return f"{number / size:{form}} {unit}"
    return f"{number:.0f} bytes"


def render_garbage(report: dict[str, Any]) -> Group:
    """A row for each kind of artefact, then what else lies there, then what goes. Needed are results and what running
    and unfinished sweeps read; ``again`` is the time that it would take to make what goes."""
    table = Table(box=None)
    table.add_column("artefacts", no_wrap=True)
    for heading in ("number", "size", "needed", "finished", "nobody's", "goes", "again"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report["kinds"]:
        goes = row["goes"]
        sizes = [_sum(row["needs"], *some) for some in ((*_NEEDED,), (Need.finished,), (Need.nobody,))]
        again = [size_text(goes["bytes"]), clock(goes["seconds"])] if goes["artefacts"] else ["", ""]
        table.add_row(escape(row["kind"]), f"{row['artefacts']:,}", size_text(row["bytes"]), *sizes, *again)
    parts = ", ".join(f"{escape(name)} {size_text(size)}" for name, size in report["parts"].items())
    return Group(table, f"{escape(report['workspace'])}: {size_text(report['bytes'])} ({parts})", *_goes(report))


def _sum(sizes: dict[str, int], *some: Need) -> str:
    total = sum(sizes.get(str(need), 0) for need in some)
    return size_text(total) if total else ""


def _goes(report: dict[str, Any]) -> list[str]:
    goes, running = report["goes"], ", ".join(map(escape, report["running"]))
    lines = [f"running now: {running}; nothing that it needs goes"] if running else []
    if not goes["artefacts"] and not goes["aside_bytes"]:
        return [*lines, "nothing goes"]
    aside = f", and {size_text(goes['aside_bytes'])} of damaged or half written ones" if goes["aside_bytes"] else ""
    verb = "gone" if report["removed"] else "would go"
    again = f"{clock(goes['seconds'])} of computing, only if a new cell needs them"
    return [
        *lines,
        f"{verb}: {counted(goes['artefacts'], 'artefact')} of {size_text(goes['bytes'])}{aside}",
        f"to make them again: {again}",
    ]
