"""Claims: what was claimed before the runs, and what they say of it."""

from __future__ import annotations

import streamlit as st

from dashboard import choose
from dashboard.claims_on_disk import claims_files
from dashboard.forest import forest
from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.source import results
from dashboard.text import literal
from harness.claims.claim_report import ABOUT, claim_report, results_of_claims
from harness.claims.claim_tables import HEADINGS, ClaimTable, claim_table, frozen_text
from harness.claims.forest_plot import forest_panels, forest_plot
from harness.errors import UserError


def _table(one: ClaimTable, name: str) -> None:
    st.subheader(literal(one.title))
    st.markdown(f"**{literal(one.verdict)}**")
    if one.rows:
        columns = dict(zip(HEADINGS, map(list, zip(*one.rows, strict=True)), strict=True))
        frame(columns, one.name, {}, save=name)
    for line in one.lines:
        st.caption(literal(line))


def page() -> None:
    """The whole page."""
    heading("claims")
    file = choose.one(st, "File of claims", claims_files(), "claims")
    if file is None:
        st.info("No file of claims here. harness claims FILE judges one; docs/claims.md says how to write it.")
        return
    try:
        report = claim_report(file, results_of_claims(file, results()))
    except UserError as error:
        st.error(literal(str(error)))
        return
    st.markdown(literal(frozen_text(report).replace("`", "")))
    if report.is_measured:
        forest(forest_panels(report))
        st.download_button("Plot as SVG", forest_plot(report).encode(), "claims.svg", "image/svg+xml", type="tertiary")
    else:
        st.info("No published run says anything of these claims yet: freeze them, then run their sweeps.")
    groups = {"frozen": report.verdicts, "confirmation": report.confirmation, "exploratory": report.exploratory}
    for name, verdicts in groups.items():
        if not report.is_measured and name != "frozen":
            continue
        if verdicts and name != "frozen":
            st.header(f"{name.capitalize()}{', no evidence' * (name == 'exploratory')}")
        for place, one in enumerate(verdicts):
            _table(claim_table(one), f"{name}-{place}")
    st.caption(literal(ABOUT))
    for note in report.notes:
        st.caption(literal(note))


page()
