"""Rows as short texts, the same words and digits in the terminal, in the browser and in files."""

from __future__ import annotations

from collections import Counter

from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.comparison_tables import p_words
from harness.evaluation.significance.paired_tests import FEW_QUERIES
from harness.leaderboard.board_model import VERIFIED, BaselineComparison, Row, RowFacts, Table
from harness.leaderboard.row_sections import NOTHING

MARKS = {"better": "▲", "worse": "▼", "": ""}
"""How a significant difference from the baseline is shown; never by colour alone."""


def number(value: float) -> str:
    """A metric."""
    return f"{value:.3f}"


def mean(row: Row, metric: str) -> str:
    """The mean of `metric`, empty where the row has none."""
    return number(row.metrics[metric].mean) if metric in row.metrics else ""


def interval(row: Row, metric: str) -> str:
    """Its 95 % interval."""
    return bounds(row.metrics[metric].interval if metric in row.metrics else None)


def bounds(found: Interval | None) -> str:
    """An interval, empty where there is none."""
    return f"[{number(found.low)}, {number(found.high)}]" if found else ""


def uncertain_by(row: Row) -> str:
    """'queries 84%, resamples 11%, residual 5%': the sources of the variance of its mean, empty with one run."""
    return row.variance.summary if row.variance else ""


def mark(row: Row) -> str:
    """▲ or ▼ where the row differs from its baseline, with several from all of them."""
    return MARKS[row.verdict]


def against(row: Row) -> str:
    """'▲ +0.012 (p 0.03)': the difference from its baseline and the adjusted p; 'one run' where there is none. With
    several baselines p of all of them, then each with its name."""
    if row.against is None:
        return ""
    if row.against_all is None:
        return _difference(row.against)
    each = [f"{_difference(one)} {one.baseline}" for one in row.against_each]
    return "; ".join([f"{mark(row)} all ({p_words(row.against_all.p_all)})".strip(), *each])


def _difference(one: BaselineComparison) -> str:
    return f"{MARKS[one.verdict]} {one.difference:+.3f} ({p_words(one.p_adjusted)})".strip()


def evidence(row: RowFacts) -> str:
    """'verified by A. Name, 2026-11-30', 'as published' or 'not as its card says'."""
    return " ".join([row.mark, *(["by", "; ".join(row.verified)] if row.mark == VERIFIED else [])])


def place(row: Row) -> str:
    """Its place, or first and last of those that it shares; a dash for rows that do not compete."""
    if row.rank is None:
        return "–"
    low, high = row.rank_interval or (row.rank, row.rank)
    return str(row.rank) if low == high else f"{low}–{high}"


def doubt(row: RowFacts) -> str:
    """'placebo', 'oracle' or 'simulated' for a teacher that is not real, 'control' for a method that is one, otherwise
    nothing: what must stand beside its name wherever it is said to reach or beat anything."""
    if row.teacher_type not in (None, "real"):
        return str(row.teacher_type)
    return row.category if row.category == "control" else ""


def losses(row: RowFacts) -> str:
    """Ranker's and retriever's loss."""
    return " → ".join(loss for loss in (row.ranker_loss, row.retriever_loss) if loss)


def sees(row: Row) -> str:
    """What its method is given beside the collection."""
    return ", ".join(row.sees) or NOTHING


def baselines(table: Table) -> set[str]:
    """The rows that those of a table are tested against, by name."""
    return {row.against.baseline for row in table.rows if row.against}


def labels(row: RowFacts) -> str:
    """The number of labelled queries."""
    return f"{row.budget:,}" if row.budget is not None else ""


def usd(row: Row) -> str:
    """What its labels cost."""
    value = row.cost.get("usd", 0.0)
    return "0" if value == 0 else "<0.01" if value < 0.01 else f"{value:,.2f}"


def tokens(row: Row) -> float:
    """What the teacher read and wrote."""
    return row.cost["input_tokens"] + row.cost["output_tokens"]


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def training(row: Row) -> str:
    """Time spent on training."""
    seconds = row.cost.get("train_seconds", 0.0)
    return duration(seconds) if seconds else ""


def caption(table: Table) -> str:
    """What was tested, and what the marks mean."""
    tested = (
        f"▲ better, ▼ worse than {_whom(table)} (adjusted p < 0.05); {table.family}."
        if table.baseline
        else "No baseline, no test."
    )
    return (
        f"{tested} Intervals: 95 % over queries, resamples and seeds, {_kind(table)}. USD: every label at its price, "
        "whoever paid for it."
    )


def _kind(table: Table) -> str:
    independent = table.clusters.count if table.clusters else table.queries
    return "t" if independent < FEW_QUERIES else "bootstrap"


def _whom(table: Table) -> str:
    several = any(row.against_all for row in table.rows)
    return f"{table.baseline}, each of them" if several else table.baseline or ""


def titles(table: Table) -> dict[str, Row]:
    """The rows of `table` by names that no other row of it has, in its order: what people choose rows by, and what
    stands in a link."""
    names = [title(row) for row in table.rows]
    counts = Counter(names)
    return {
        name if counts[name] == 1 else f"{name} [{row.run_ids[0]}]": row
        for name, row in zip(names, table.rows, strict=True)
    }


def title(row: RowFacts) -> str:
    """What is to be said of `row` to know it: method, teacher, losses, labels and the settings in which its table has
    others."""
    amount = f"{labels(row)} labels" if row.budget else ""
    return " · ".join(part for part in (row.method, row.teacher, losses(row), amount, row.variant) if part)
