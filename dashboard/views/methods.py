"""Methods: what each method of a table is, what it is given, and where its rows are."""

from __future__ import annotations

import streamlit as st

from dashboard import choose
from dashboard.frame import TALLER, frame
from dashboard.heading import heading
from dashboard.source import View, view
from dashboard.tables.table import TableDisplay, column_config, with_links
from dashboard.text import literal
from harness.leaderboard import row_texts
from harness.leaderboard.inspect.method_facts import MethodFacts, method_facts
from harness.leaderboard.report.glossary import GLOSSARY

_GROUPS = {
    "ours": "the method this harness is about",
    "baseline": "a method of others, to hold it to",
    "reference": "what there is without training on labels",
    "control": "it learns nothing from a teacher, so what it gains is no teacher's",
    "external": "runs that were made elsewhere",
}


def _method(found: View, one: MethodFacts) -> None:
    st.subheader(literal(one.method))
    st.markdown(literal(one.summary or "No package on this machine has this method, so what it does is not known."))
    told = {"group": f"{one.category}: {_GROUPS[one.category]}", "is given": one.sees, "needs": one.needs}
    told |= {
        "source": one.source,
        "in sweep files": f"method: {one.name}",
        "to know more": f"harness show method {one.name}",
    }
    st.markdown("  \n".join(f"**{name}** {literal(text)}" for name, text in told.items() if text))
    shown = with_links(found.table, one.rows, TableDisplay(others=False))
    frame(shown, f"Rows of {one.method}", column_config(found.table), row=TALLER, key=f"rows of {one.method}")


def page() -> None:
    """The whole page."""
    heading("methods")
    found = view()
    facts = {one.method: one for one in method_facts(found.result_set, found.table)}
    said = "A way to get a retriever from a number of labelled queries, or from none."
    chosen = choose.one(st, "Method", list(facts), "method", help=said)
    if chosen is not None:
        _method(found, facts[chosen])
    st.subheader("All methods here")
    shown = {
        "method": list(facts),
        "group": [one.category for one in facts.values()],
        "what it is": [one.summary for one in facts.values()],
        "is given": [one.sees for one in facts.values()],
        "rows": [len(one.rows) for one in facts.values()],
    }
    config = {"what it is": st.column_config.TextColumn(width=420), "method": st.column_config.TextColumn(pinned=True)}
    frame(shown, "Methods", config, save="methods")
    st.caption(literal(row_texts.caption(found.table)))
    with st.expander("What the words and numbers mean"):
        st.markdown("\n".join(f"- **{literal(term.name)}** {literal(term.meaning)}" for term in GLOSSARY))


page()
