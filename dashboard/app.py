"""The shell of the dashboard: navigation between its pages. Run by `dashboard.launch`."""

from __future__ import annotations

import streamlit as st

from dashboard import address
from dashboard.app_pages import ICON, PAGES

# Without an icon of its own a page has that of its link, which browsers would fetch from the internet.
# The sidebar, in pixels: the narrowest in which choices can still be read, for its width is missing from the tables.
st.set_page_config(layout="wide", page_icon=ICON, initial_sidebar_state=244)
pages = [
    st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "leaderboard")
    for name, (title, icon) in PAGES.items()
]
shown = st.navigation(pages, position="hidden")
address.opened(shown.url_path)
# Streamlit's own menu would leave out of its links what was chosen.
menu = st.sidebar.empty()


def _menu() -> address.Values:
    """Links to all pages, with all choices."""
    chosen = address.link()
    with menu.container(gap="xsmall"):
        for page in pages:
            st.page_link(page, query_params=chosen)
    return chosen


linked = _menu()
try:
    shown.run()
finally:
    address.write()
    if linked != address.link():
        _menu()
