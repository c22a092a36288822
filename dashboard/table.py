"""A table of the board for `st.dataframe`: values and headings only, the numbers are those of `harness.board`."""

from __future__ import annotations

from typing import Any

import streamlit as st

from harness.board import cells
from harness.board.model import Row, Table
from harness.evaluation.render import p_text


def columns(table: Table, rows: list[Row]) -> dict[str, list[Any]]:
    """Columns by heading, as long as `rows`."""
    lead = table.metric
    others = [name for name in table.metrics if name != lead]
    return {
        "#": [row.rank for row in rows],
        "method": [row.method for row in rows],
        "group": [row.group for row in rows],
        "teacher": [row.teacher or "" for row in rows],
        "losses": [cells.losses(row) for row in rows],
        "settings": [row.variant for row in rows],
        "labels": [row.budget for row in rows],
        lead: [_mean(row, lead) for row in rows],
        "against baseline": [_against(row) for row in rows],
        "95 %": [cells.interval(row, lead) for row in rows],
        **{name: [_mean(row, name) for row in rows] for name in others},
        "runs": [row.runs for row in rows],
        "USD": [row.cost["usd"] for row in rows],
        "train s": [row.cost["train_seconds"] for row in rows],
        "flags": [", ".join(row.flags) for row in rows],
    }


def _mean(row: Row, metric: str) -> float | None:
    return row.metrics[metric].mean if metric in row.metrics else None


def _against(row: Row) -> str:
    if row.against is None:
        return ""
    return f"{cells.mark(row)} {row.against.difference:+.3f} (p {p_text(row.against.p_adjusted)})".strip()


def column_config(table: Table) -> dict[str, Any]:
    """How each column is shown, and what it means."""
    baseline = table.baseline or "no baseline"
    return {
        "#": st.column_config.NumberColumn(help="Place by the leading metric; empty for teachers that see the answers."),
        "labels": st.column_config.NumberColumn(help="Labelled training queries.", format="localized"),
        "against baseline": st.column_config.TextColumn(help=f"Difference from {baseline} with its adjusted p; ▲ better, ▼ worse at 0.05."),
        "95 %": st.column_config.TextColumn(help="Interval of the mean over queries, resamples and seeds."),
        "runs": st.column_config.NumberColumn(help="Resamples times seeds behind the row."),
        "USD": st.column_config.NumberColumn(help="Every label at its price, whoever paid for it.", format="%.2f"),
        "train s": st.column_config.NumberColumn(help="Seconds of training.", format="%.0f"),
        "settings": st.column_config.TextColumn(help="Settings in which rows of one method differ."),
        **{name: st.column_config.NumberColumn(format="%.3f") for name in table.metrics},
    }
