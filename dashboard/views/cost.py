"""Cost: what does quality cost, and which rows does a cheaper one beat?"""

from __future__ import annotations

import streamlit as st

from dashboard import choose
from dashboard.cost_chart import frontier_chart
from dashboard.frame import frame
from dashboard.source import view
from dashboard.text import literal
from harness.board.frontier import PRICES, frontier


def page() -> None:
    """The whole page."""
    st.title("Cost")
    found = view()
    prices = [price for price, (_, of) in PRICES.items() if any(of(row) for row in found.table.rows)]
    free = [PRICES[price][0] for price in PRICES if price not in prices]
    if free:
        st.caption(literal(f"No row has any {' or '.join(free)}: with teachers that run on one's own machine labels have no price."))
    price = choose.one(st, "Price", prices, "price")
    if price is None:
        st.info("No row says what it cost.")
        return
    title = PRICES[price][0]
    priced = frontier(found.table, list(found.rows.items()), price)
    logarithmic = choose.switch(st, "Log axis", "log")
    drawn = frontier_chart(priced, found.table.metric, title, logarithmic)
    st.altair_chart(drawn, width="stretch")
    st.caption(
        "On the frontier: no other row is at least as cheap and as good, and better in one. By means alone: whether a difference is "
        "real says the leaderboard. Rows of teachers that see the answers are left out."
    )
    shown = {
        "": ["frontier" if one.beaten_by is None else "dominated" for one in priced],
        "row": [one.name for one in priced],
        title: [one.price for one in priced],
        found.table.metric: [one.mean for one in priced],
        "beaten by": [one.beaten_by or "" for one in priced],
    }
    config = {
        title: st.column_config.NumberColumn(format="localized"),
        found.table.metric: st.column_config.NumberColumn(format="%.3f"),
    }
    frame(shown, "Rows by price", config)


page()
