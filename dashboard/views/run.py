"""Run: everything known of one published run, and how to make it again."""

from __future__ import annotations

import streamlit as st

from dashboard import choose
from dashboard.frame import frame
from dashboard.source import view
from dashboard.text import literal
from harness.board.details import DOWNLOADS, content, details
from harness.errors import UserError
from harness.published.folders import Published

_TYPES = {"run.trec.gz": "application/gzip", "metrics.parquet": "application/vnd.apache.parquet", "card.yaml": "text/plain"}


def _downloads(run: Published) -> None:
    with st.container(horizontal=True):
        for name in DOWNLOADS:
            try:
                st.download_button(name, content(run, name), name, _TYPES[name])
            except UserError as error:
                st.caption(literal(f"{name}: {error.message}"))


def page() -> None:
    """The whole page."""
    st.title("Run")
    found = view()
    row = choose.one(st, "Row", list(found.rows), "row")
    runs = {run.card.tag: run for run in found.gathered.behind(found.table, found.rows[row])} if row else {}
    tag = choose.one(st, "Run", list(runs), "run", help="A row's runs differ in resample and seed.")
    if tag is None:
        return
    run = runs[tag]
    said = details(run)
    left, right = st.columns(2)
    left.subheader("Card")
    frame({"what": list(said.about), "value": list(said.about.values())}, "Card", where=left)
    right.subheader("Seconds by stage")
    stages = {"stage": [one.stage for one in said.stages], "seconds": [one.seconds for one in said.stages]}
    longest = max(stages["seconds"], default=1.0)
    bar = st.column_config.ProgressColumn(format="%.1f s", max_value=longest or 1.0, help="Also for stages that came from the store.")
    frame(stages, "Seconds by stage", {"seconds": bar}, right)
    st.subheader("Make it again")
    st.code(said.command, language=None)
    st.caption(literal("With the sweep file named on the card and its commit: the same cells have the same keys."))
    st.subheader("Files")
    st.code(said.folder, language=None)
    _downloads(run)
    with st.expander("Whole card"):
        st.code(said.card, language=None)


page()
