"""The lines of ``harness meta`` as a table."""

from __future__ import annotations

from typing import Any

from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.comparison_tables import p_text
from harness.leaderboard import row_texts
from harness.leaderboard.collections_meta import Meta


def pooled_columns(meta: Meta) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Columns by heading, a line a method, and the printf forms of those that are numbers."""
    lines = [(one, one.combined) for one in meta.methods]
    shown: dict[str, list[Any]] = {
        "method": [one.name for one, _ in lines],
        "collections": [len(one.parts) for one, _ in lines],
        "difference": [found and found.effect for _, found in lines],
        "95 %": [_interval(found.interval) if found else "" for _, found in lines],
        "p adj.": ["" if one.p_adjusted is None else p_text(one.p_adjusted) for one, _ in lines],
        "verdict": [
            f"{row_texts.MARKS[one.verdict]} {one.verdict}" if one.verdict else "not shown" for one, _ in lines
        ],
        "on these collections": [one.on_these and one.on_these.difference for one, _ in lines],
        "on another collection": [_interval(found.prediction) if found else "" for _, found in lines],
        "I²": [found and found.i2 for _, found in lines],
        "differs in": ["; ".join(one.differing) for one, _ in lines],
    }
    forms = {"difference": "%+.4f", "on these collections": "%+.4f", "I²": "percent"}
    return shown, forms


def _interval(found: Interval | None) -> str:
    return f"[{found.low:+.3f}, {found.high:+.3f}]" if found else ""
