"""The forest plot of claims on a page: as many panels beside each other as there is room for."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from dashboard.text import literal
from harness.claims.forest_plot import MARKERS

# Pixels of a panel: two fit beside each other on a laptop. (Streamlit would show a string here on the page.)
_WIDTH = 470


def forest(panels: Iterable[str]) -> None:
    """Draw the `panels`, each an SVG document."""
    with st.container(horizontal=True):
        for panel in panels:
            st.image(panel, width=_WIDTH)
    st.caption(literal(MARKERS))
