"""The shell of the dashboard: navigation between its pages. Run by `dashboard.launch`."""

from __future__ import annotations

import streamlit as st

from dashboard.app_pages import PAGES

st.set_page_config(layout="wide")
st.navigation(
    [
        st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "leaderboard")
        for name, (title, icon) in PAGES.items()
    ]
).run()
