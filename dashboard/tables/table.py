"""A table of the board for `st.dataframe`: values and headings only, the numbers are those of `harness.leaderboard`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.text import literal
from harness.evaluation.significance.comparison_tables import p_text
from harness.labelling.labels.ranking import VERDICTS
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.curves.cost_axes import AXES

VERDICT_HELP = {
    "ok": "Answers that named every candidate once.",
    "partial": "Answers that ranked some candidates; the others count as unordered below them.",
    "repaired": "Answers that could be read after mending.",
    "failed": "Answers that could not be used.",
}


_FAULTS = VERDICTS[1:]
"""Verdicts that are shown on demand; how many labels are ok is always there."""


@dataclass(frozen=True)
class TableDisplay:
    """Which groups of columns are shown."""

    intervals: bool = True
    tests: bool = True
    others: bool = True
    costs: bool = True
    labels: bool = False


def columns(table: Table, rows: Sequence[Row], display: TableDisplay) -> dict[str, list[Any]]:
    """Columns by heading, as long as `rows`.

    The first ones fit a laptop's screen and answer what is asked first: who wins, at which budget, is it real, for how much money, what to
    know before believing it, and which configuration it is. A phone shows the first four.
    """
    lead = table.metric
    return {
        "#": [row.rank for row in rows],
        "method": [row.method for row in rows],
        "labels": [row.budget for row in rows],
        lead: [_mean(row, lead) for row in rows],
        **({"95 %": [row_texts.interval(row, lead) for row in rows]} if display.intervals else {}),
        **({"against baseline": [_against(row) for row in rows]} if display.tests else {}),
        **({"USD": [row.cost["usd"] for row in rows]} if display.costs else {}),
        "flags": [", ".join(row.flags) for row in rows],
        **_settings(rows),
        "teacher": [row.teacher or "" for row in rows],
        "losses": [row_texts.losses(row) for row in rows],
        **(_tested(table, rows) if display.tests else {}),
        **_readable(rows),
        "group": [row.category for row in rows],
        "sees": [row_texts.sees(row) for row in rows],
        "runs": [row.runs for row in rows],
        **_uncertain(rows, display),
        **(_costs(rows) if display.costs else {}),
        **({name: [_mean(row, name) for row in rows] for name in table.metrics if name != lead} if display.others else {}),
        **({f"labels {verdict}": [row.labels.get(verdict) for row in rows] for verdict in _FAULTS} if display.labels else {}),
    }


def _settings(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """What tells rows of one method apart, where any row has it."""
    return {"settings": [row.variant for row in rows]} if any(row.variant for row in rows) else {}


def _tested(table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Which row each was tested against, where it is not the same one for all of the table."""
    several = len(row_texts.baselines(table)) > 1
    return {"tested against": [row.against.baseline if row.against else "" for row in rows]} if several else {}


def _readable(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The share of labels that are ok, where any row has labels."""
    return {"labels ok": [row.labels.get("ok") for row in rows]} if any(row.labels for row in rows) else {}


def _uncertain(rows: Sequence[Row], display: TableDisplay) -> dict[str, list[Any]]:
    """Beside intervals, where any row has several runs."""
    told = [row_texts.uncertain_by(row) for row in rows]
    return {"uncertain by": told} if display.intervals and any(told) else {}


def _costs(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {
        "tokens": [AXES["tokens"].of(row) for row in rows],
        "train s": [row.cost["train_seconds"] for row in rows],
        "all s": [row.cost["seconds"] for row in rows],
    }


def _mean(row: Row, metric: str) -> float | None:
    return row.metrics[metric].mean if metric in row.metrics else None


def _against(row: Row) -> str:
    if row.against is None:
        return ""
    return f"{row_texts.mark(row)} {row.against.difference:+.3f} (p {p_text(row.against.p_adjusted)})".strip()


def column_config(table: Table) -> dict[str, Any]:
    """How each column is shown, and what it means; widths in pixels are what the values need."""
    import streamlit as st

    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    baseline = table.baseline or "no baseline"
    return {
        "#": number(width=34, pinned=True, help="Place by the leading metric; empty for teachers that see the answers."),
        "method": text(width=108),
        "labels": number(width=56, help="Labelled training queries.", format="localized"),
        "95 %": text(
            width=96,
            help=(
                "Bootstrap interval of the mean over queries, resamples and seeds: other queries and draws of the same kind would give a "
                "mean in it 95 times of 100. Overlap of two intervals is no test; see 'against baseline'."
            ),
        ),
        "against baseline": text(
            width=124,
            help=(
                f"Mean difference from {literal(baseline)} with p adjusted over the whole table; ▲ better, ▼ worse at 0.05. "
                "No mark means not shown, not that the two are equal."
            ),
        ),
        "USD": number(width=50, help="Every label at its price, whoever paid for it.", format="%.2f"),
        "flags": text(width=90, help="What to know before believing the row."),
        "settings": text(width=138, help="Settings in which rows of one method differ."),
        "teacher": text(width=74, help="Who labelled the training queries."),
        "losses": text(width=95, help="The ranker's and the retriever's loss."),
        "tested against": text(width=200, help="The row of the baseline that is most like it."),
        "sees": text(help="What a method is given beside the collection: it competes with methods that see the same."),
        "runs": number(width=55, help="Resamples times seeds behind the row."),
        "uncertain by": text(
            width="medium",
            help=(
                "What the variance of the mean comes from. Mostly queries: more queries would help, more runs would not. "
                "Mostly resamples: draw more of them."
            ),
        ),
        "tokens": number(help="Tokens that the teacher read and wrote.", format="compact"),
        "train s": number(help="Seconds of training.", format="%.0f"),
        "all s": number(
            help="Seconds of all stages behind the row, shared ones included; labelling as if nothing had been paid before.", format="%.0f"
        ),
        **{f"labels {verdict}": number(help=said, format="percent") for verdict, said in VERDICT_HELP.items()},
        **{name: number(width=76, format="%.3f") for name in table.metrics},
    }
