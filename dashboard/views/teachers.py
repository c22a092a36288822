"""Teachers: how their labels came out, how they agree, whether the input order sways them, and what a thousand queries
cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import choose
from dashboard.charts.teacher_charts import heatmap, picks_chart
from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.show import show
from dashboard.source import View, results, view
from dashboard.text import literal
from harness.evaluation.significance.comparison_tables import p_text
from harness.labelling.labels.ranking import VERDICTS
from harness.leaderboard import row_texts
from harness.leaderboard.columns import VERDICT_HELP
from harness.leaderboard.inspect.label_quality import (
    MEASURES,
    Agreement,
    Picks,
    agreements,
    first_picks,
    teacher_labels,
)
from harness.leaderboard.inspect.teacher_quality import JudgedOrders, judged_orders, taught
from harness.leaderboard.inspect.teacher_summary import TeacherSummary, teacher_summaries
from harness.leaderboard.load_results import state
from harness.published.result_folder import Published
from harness.text import counted


def _table(found: list[TeacherSummary], judged: Mapping[str, JudgedOrders]) -> None:
    known = [judged.get(one.name) for one in found]
    texts = {"name": "name", "standing": "teacher_type"}
    shown: dict[str, Any] = {
        **{heading: [getattr(one, name) for one in found] for heading, name in texts.items()},
        "nDCG@10 by judgments": [one and one.ndcg for one in known],
        "first stage's": [one and one.first_stage for one in known],
        **{verdict: [one.verdicts[verdict] for one in found] for verdict in VERDICTS},
        "USD per 1,000 queries": [one.usd_per_thousand for one in found],
        "tokens per query": [one.tokens_per_query for one in found],
        "label sets": [one.sets for one in found],
        "labels": [one.labels for one in found],
        "runs": [one.runs for one in found],
        **{heading: [getattr(one, heading) for one in found] for heading in ("kind", "model", "box")},
    }
    config: dict[str, Any] = {
        "name": st.column_config.TextColumn(pinned=True),
        "nDCG@10 by judgments": st.column_config.NumberColumn(
            format="%.3f", help="How well it orders the candidates of training queries, by the judgments of these."
        ),
        "first stage's": st.column_config.NumberColumn(
            format="%.3f", help="The same of the order in which the candidates were found: what it has to beat."
        ),
        **{
            verdict: st.column_config.NumberColumn(help=VERDICT_HELP[verdict], format="percent") for verdict in VERDICTS
        },
        "standing": st.column_config.TextColumn(
            help="real; placebo: orders by chance; simulated and oracle: see the judgments."
        ),
        "box": st.column_config.TextColumn(help="black: only text comes back; white: likelihoods or attention too."),
        "USD per 1,000 queries": st.column_config.NumberColumn(
            format="%.2f", help="Every call at its price; 0 on one's own machine."
        ),
        "tokens per query": st.column_config.NumberColumn(format="%.0f"),
        "label sets": st.column_config.NumberColumn(
            help="Different draws of queries that were labelled; methods share them."
        ),
    }
    frame(shown, "Teachers", config, save="teachers")


def _students(found: View, runs: list[Published]) -> None:
    """What came of each teacher's labels."""
    rows = taught(found.table, found.rows, runs)
    if not rows:
        return
    metric = found.table.metric
    st.subheader("What they taught")
    shown = {
        "teacher": [teacher for teacher, _, _ in rows],
        "student": [" · ".join(filter(None, (row.method, row_texts.losses(row), row.variant))) for _, _, row in rows],
        "labels": [row.budget for _, _, row in rows],
        metric: [row.metrics[metric].mean for _, _, row in rows],
        "against baseline": [row_texts.against(row) for _, _, row in rows],
        "flags": ["; ".join(row.flags) for _, _, row in rows],
    }
    config = {
        "teacher": st.column_config.TextColumn(pinned=True),
        "labels": st.column_config.NumberColumn(format="localized"),
        metric: st.column_config.NumberColumn(format="%.3f"),
    }
    frame(shown, "What they taught", config, save="taught")
    st.caption(literal(row_texts.caption(found.table)))


def _reasons(found: list[TeacherSummary]) -> None:
    rows = [
        (one.name, reason, number, one.reason_shares[reason]) for one in found for reason, number in one.reasons.items()
    ]
    if not rows:
        return
    st.subheader("Why labels are not ok")
    headings = ("teacher", "reason", "labels", "share of its labels")
    shown = {heading: list(column) for heading, column in zip(headings, zip(*rows, strict=True), strict=True)}
    frame(shown, "Reasons", {headings[3]: st.column_config.NumberColumn(format="percent")}, save="reasons")


@st.cache_resource(max_entries=8, show_spinner="Reading traces")  # type: ignore[untyped-decorator]
def _judged(folder: str, mark: str, table: str, _runs: Sequence[Published]) -> dict[str, JudgedOrders]:
    """Read again when the folder's `mark` changes."""
    return judged_orders(_runs)


@st.cache_resource(max_entries=8, show_spinner="Reading what teachers said")  # type: ignore[untyped-decorator]
def _summary(
    folder: str, mark: str, table: str, _runs: Sequence[Published]
) -> tuple[list[Agreement], list[Picks], list[str]]:
    """Read again when the folder's `mark` changes."""
    found, notes = teacher_labels(_runs)
    return agreements(found), [first_picks(one) for one in found], notes


def _agreement(found: Sequence[Agreement]) -> None:
    st.subheader("How teachers agree")
    help_text = "\n".join(f"- {measure}: {literal(about)}" for measure, about in MEASURES.items())
    measure = choose.one(st, "Measure", list(MEASURES), "agree", help=help_text) or next(iter(MEASURES))
    show(
        heatmap(found, measure),
        "agreement",
        f"{measure} between every two teachers and the first stage; the table below has the numbers.",
    )
    st.caption(
        "Means over the queries that both ordered, on the candidates that both placed; for the same first pick, lists "
        "of two or more. "
        "'first stage' is the order in which the candidates were retrieved."
    )
    pairs = [one for one in found if one.a != one.b]
    shown = {
        "a": [one.a for one in pairs],
        "b": [one.b for one in pairs],
        "queries": [one.queries for one in pairs],
        **{name: [one.values[name] for one in pairs] for name in MEASURES},
    }
    config = {
        name: st.column_config.NumberColumn(format="%.3f", help=literal(about)) for name, about in MEASURES.items()
    }
    frame(shown, "Agreement", config, save="agreement-table")


def _picks(found: Sequence[Picks]) -> None:
    st.subheader("Where first picks stood")
    by_name = {one.teacher: one for one in found if one.queries}
    chosen = choose.one(st, "Teacher", list(by_name), "picks", help="Whose first picks are drawn.")
    if chosen is None:
        st.info("No published label has a first pick.")
        return
    one = by_name[chosen]
    show(
        picks_chart(one),
        "first-picks",
        f"Share of first picks at each place of the input, {counted(one.queries, 'query')}.",
    )
    test = (
        "too few queries for a test" if one.p is None else f"p {p_text(one.p)} for picks by chance (chi-squared test)"
    )
    reordered = (
        f"{counted(one.reordered, 'query')} shown in another order than the first stage's"
        if one.reordered
        else "every query was shown in the first stage's order, so liking early places and agreeing with the first "
        "stage look the same"
    )
    st.caption(literal(f"{counted(one.queries, 'query')}; {test}; {reordered}. Lines are 95 % intervals (Wilson)."))
    shown = {
        "place": [place.position for place in one.places],
        "first picks": [place.picked for place in one.places],
        "share": [place.share for place in one.places],
        "low": [place.interval.low for place in one.places],
        "high": [place.interval.high for place in one.places],
        "by chance": [place.expected for place in one.places],
    }
    shares = ("share", "low", "high", "by chance")
    frame(
        shown,
        "First picks",
        {share: st.column_config.NumberColumn(format="percent") for share in shares},
        save="first-picks-table",
    )


def _words(found: View, runs: list[Published]) -> None:
    folder = results()
    pairs, picks, notes = _summary(str(folder), state(folder), found.table.name, runs)
    for note in notes:
        st.caption(literal(f"Note: {note}."))
    if not picks:
        st.info("Agreement and position bias are computed from published labels, and no run here has any.")
        return
    _agreement(pairs)
    _picks(picks)


def page() -> None:
    """The whole page."""
    heading("teachers")
    found = view()
    runs = found.result_set.runs_of(found.table)
    summaries = teacher_summaries(runs)
    if not summaries:
        st.info("No run here was labelled by a teacher.")
        return
    _table(summaries, _judged(found.folder, found.state, found.table.name, runs))
    st.caption(
        "Verdicts and prices are from the cards of the runs that used the labels; each set of labels counts once."
    )
    _students(found, runs)
    _reasons(summaries)
    _words(found, runs)


page()
