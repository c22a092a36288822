"""The first lines of every page: what it is called, and the question that it answers."""

from __future__ import annotations

import streamlit as st

from dashboard.app_pages import PAGES
from dashboard.text import literal
from dashboard.words import QUESTIONS


def heading(page: str) -> None:
    """Those of the page with that file name."""
    st.title(PAGES[page][0])
    st.markdown(literal(QUESTIONS[page]))
