"""Where columns stand: which of them a place shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column
from harness.leaderboard.columns import columns

Layout = Literal["json", "csv", "terminal", "document", "page", "report", "report-markdown", "report-latex"]
_METRICS = ("lead", "others")
_SETTINGS = ("teacher", "losses", "variant")
_ABOUT = ("variant", "category", "sees", "teacher", "ranker_loss", "retriever_loss", "student", "budget", "runs")
_COSTS = ("usd", "usd_here", "calls", "input_tokens", "output_tokens", "train_seconds", "seconds", "seconds_here")
_LABELS = ("labels_used", "labels_teacher", "labels_written", "labels_gold")
_RECORDS = (
    *("rank_interval", "metrics", "variance", "declared", "against", "against_each", "against_all"),
    *("against_zero_shot", "cost", "labels"),
)
_VALUES = ("interval", "rank", "budget", "runs", "difference", "p_adjusted", "others", "usd", "train_seconds")

LAYOUTS: dict[Layout, tuple[str | tuple[str, ...], ...]] = {
    "json": (
        "collection", "split", "content_hash", "rank", "method", *_ABOUT, "teacher_type", "resamples", "trials",
        "missing_queries", "shared_queries", "seen_in_training",
        "numerics", "flags", "run_ids", *_RECORDS, "mark", "verified",
    ),
    "csv": (
        "collection", "split", "rank", "method", *_ABOUT, (*_METRICS, "bounds"), "baseline", "difference", "p",
        "p_adjusted", "verdict", "scope", "p_runs_adjusted",
        *_COSTS, *_LABELS, "flags", "mark", "verified",
    ),
    "terminal": (
        "rank", "method", *_SETTINGS, "budget", "runs", "lead", "interval", "others", "usd", "train_seconds", "sees",
        "uncertain_by",
        "baseline",
    ),
    "document": (
        "rank", "method", *_SETTINGS, "sees", "budget", "runs", "lead", "interval", "others", "usd", "train_seconds",
        "baseline", "flags", "mark",
    ),
    "page": (
        "rank", "method", "lead", "against_baseline", "budget", "interval", "usd", "flags", "variant", "teacher",
        "losses", "baseline",
        "labels_ok", "category", "sees", "runs", "uncertain_by", "tokens", "train_seconds", "seconds", "others",
        "labels_partial", "labels_repaired", "labels_failed", "mark",
    ),
    "report": (*_SETTINGS, "lead", *_VALUES),
    "report-markdown": (
        "rank", "method", *_SETTINGS, "budget", "runs", "lead", "interval", "difference", "p_adjusted", "others",
        "usd", "train_seconds",
        "flags", "mark",
    ),
    "report-latex": ("method", *_SETTINGS, "budget", "runs", "lead", "interval", "others", "usd"),
}  # fmt: skip
"""Columns by place. Where several are named together they keep the order of the table. What no layout names stands in
all, at the end.

"document" is Markdown and LaTeX, "page" the dashboard and the exported site.
"""
FORMER_KEYS = {"group": "category", "standing": "teacher_type", "missing": "missing_queries", "tags": "run_ids"}
"""Keys of JSON and CSV that other programs read already, and what they are called now; both are written."""


def arranged(layout: Layout, *tables: Table) -> tuple[Column, ...]:
    """The columns of `tables` that stand in a place, in its order."""
    found = {column.key: column for table in tables for column in columns(table)}
    slots = [(one,) if isinstance(one, str) else one for one in LAYOUTS[layout]]
    chosen = [column for slot in slots for column in found.values() if column.layout_name in slot]
    return (*chosen, *(column for column in found.values() if column.layout_name not in _NAMED))


_NAMED = frozenset(
    name for layout in LAYOUTS.values() for one in layout for name in ([one] if isinstance(one, str) else one)
)


def method_details(available: Iterable[Column], row: Row) -> list[str]:
    """What stands in the cell of the method where there is little room: the settings that tell `row` from others of its
    method."""
    return [text for column in available if column.group == "settings" and (text := column.text(row))]


def method_lines(available: Iterable[Column], row: Row) -> list[str]:
    """The cell of the method on a page: what it is, what to know before believing it, and which configuration: in sight
    however narrow the page is."""
    doubt = row_texts.doubt(row)
    flags = "; ".join(flag for flag in row.flags if flag != doubt)
    about = ", ".join(filter(None, (doubt, f"{row_texts.labels(row)} labels" if row.budget else "")))
    lines = (
        f"{row.method} ({about})" if about else row.method,
        f"! {flags}" if flags else "",
        " · ".join(method_details(available, row)),
    )
    return [line for line in lines if line]


def record(row: Row, written: Iterable[Column]) -> dict[str, Any]:
    """A row as JSON."""
    values = {column.name: column.value(row) for column in written}
    return with_former_keys(
        {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    )


def with_former_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` also under the keys that they had before."""
    return {key: value for name, value in values.items() for key in keys_of(name)}


def keys_of(name: str) -> list[str]:
    """The keys under which a column is written."""
    return [*(former for former, now in FORMER_KEYS.items() if now == name), name]
