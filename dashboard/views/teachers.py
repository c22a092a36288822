"""Teachers: in which form their labels came out, and what a thousand queries cost."""

from __future__ import annotations

import streamlit as st

from dashboard.frame import frame
from dashboard.source import view
from dashboard.table import VERDICT_HELP
from dashboard.text import literal
from harness.board.teachers import TeacherSummary, teachers
from harness.labelling.ranking import VERDICTS


def _table(found: list[TeacherSummary]) -> None:
    texts = ("name", "standing", "kind", "model", "box")
    shown = {
        **{text: [getattr(one, text) for one in found] for text in texts},
        **{verdict: [one.verdicts[verdict] for one in found] for verdict in VERDICTS},
        "USD per 1,000 queries": [one.usd_per_thousand for one in found],
        "tokens per query": [one.tokens_per_query for one in found],
        "label sets": [one.sets for one in found],
        "labels": [one.labels for one in found],
        "runs": [one.runs for one in found],
    }
    config = {
        **{verdict: st.column_config.NumberColumn(help=VERDICT_HELP[verdict], format="percent") for verdict in VERDICTS},
        "standing": st.column_config.TextColumn(help="real; placebo: orders by chance; simulated and oracle: see the judgments."),
        "box": st.column_config.TextColumn(help="black: only text comes back; white: likelihoods or attention too."),
        "USD per 1,000 queries": st.column_config.NumberColumn(format="%.2f", help="Every call at its price; 0 on one's own machine."),
        "tokens per query": st.column_config.NumberColumn(format="%.0f"),
        "label sets": st.column_config.NumberColumn(help="Different draws of queries that were labelled; methods share them."),
    }
    frame(shown, "Teachers", config)


def page() -> None:
    """The whole page."""
    st.title("Teachers")
    found = view()
    summaries = teachers(found.gathered.of(found.table))
    if not summaries:
        st.info("No run here was labelled by a teacher.")
        return
    _table(summaries)
    for one in summaries:
        if one.reasons:
            st.subheader(literal(f"{one.name}: why labels are not ok"))
            frame({"reason": list(one.reasons), "labels": list(one.reasons.values())}, "Reasons")
    st.caption("From the cards of the runs that used the labels; harness labels stats tells of agreement and position bias.")


page()
