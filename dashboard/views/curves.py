"""Budget curves: how much does each way of distilling need?"""

from __future__ import annotations

import streamlit as st

from dashboard import choose
from dashboard.charts import budget_curve
from dashboard.frame import frame
from dashboard.source import view
from dashboard.text import literal
from harness.board.axes import AXES
from harness.board.curves import MOST, Chart, chart, select
from harness.board.figure import svg
from harness.board.targets import labels_needed

_BAND = (
    "Bands are 95 % bootstrap intervals. Over resamples and seeds they say how much luck with the draw matters; over queries, how much the "
    "choice of test queries does."
)


def _target(drawn: Chart) -> float | None:
    """A target for the metric, from a row that needs no labels or any number."""
    levels = {level.name: level.mean for level in drawn.levels}
    options = ["none", *levels, "a value"]
    chosen = choose.one(st, "Target", options, "target", help="How many labels does it take to reach this? Levels are rows without labels.")
    if chosen == "a value":
        return float(st.number_input(drawn.metric, 0.0, 1.0, 0.5, 0.01, format="%.3f", key="value", bind="query-params"))
    return levels.get(chosen or "")


def _needed(drawn: Chart, target: float) -> None:
    found = labels_needed(drawn, target)
    unit = drawn.axis.unit
    st.subheader(literal(f"{unit} needed for {drawn.metric} of {target:.3f}"))
    heading = "about, at most or more than"
    rows = {"series": [one.series for one in found], heading: [one.bound for one in found], unit: [one.labels for one in found]}
    digits = "localized" if drawn.axis is not AXES["usd"] else "%.2f"
    frame(rows, f"{unit} needed for the target", {unit: st.column_config.NumberColumn(format=digits)})
    st.caption(
        "Read off the means between measured amounts, straight on the logarithmic axis; 'more than' names the largest amount measured, "
        "which did not reach the target, 'at most' the smallest, which did."
    )


def page() -> None:
    """The whole page."""
    st.title("Budget curves")
    found = view()
    left, right = st.columns(2)
    with left:
        axis = (
            choose.one(st, "Against", list(AXES), "axis", help="Labels, what labels cost at their price, or tokens read and written.")
            or "labels"
        )
    whole = chart(found.table, axis)
    if whole is None:
        st.info(f"No row has a number of {AXES[axis].unit} above 0, so there is no curve to draw.")
        return
    every = choose.switch(st, f"All {len(whole.series)} series", "every") if len(whole.series) > MOST else False
    drawn = whole if every else select(whole)
    with right:
        target = _target(whole)
    st.subheader(literal(f"{drawn.metric} by {drawn.axis.title}"))
    st.altair_chart(budget_curve(drawn, target), width="stretch")
    st.caption(literal(drawn.note), help=_BAND)
    if target is not None:
        _needed(drawn, target)
    if drawn.axis is AXES["labels"]:
        st.download_button("Curve as SVG", svg(drawn), "curve.svg", "image/svg+xml")


page()
