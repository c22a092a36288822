"""Cost: what does quality cost, which rows does a cheaper one beat, and where did the time go?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import choose
from dashboard.charts.cost_chart import frontier_chart, stage_chart
from dashboard.frame import TALL, WIDE, frame
from dashboard.heading import heading
from dashboard.show import show
from dashboard.source import View, usual_hour, view
from dashboard.text import literal
from harness.leaderboard.curves.frontier import AMONG, PRICES, STANDINGS, Frontier, frontier, unpriced
from harness.leaderboard.inspect.stage_costs import split_by_stage
from harness.leaderboard.render.curve_terminal import frontier_notes

# Rows whose bars are drawn; the table has all. (Streamlit would show a string here on the page.)
_MOST_BARS = 40
# Rows above which a table of high rows scrolls.
_MOST_ROWS = 14


def _frontier(found: View, price: str, hour: float) -> None:
    metric, rows = found.table.metric, list(found.rows.items())
    said = "Rows that need no labels cost none: held against them, hardly any row with labels is worth its price."
    shown = {text: name for name, text in AMONG.items()}
    chosen = choose.one(st, "Among", list(shown), "among", help=said) or next(iter(shown))
    priced = frontier(found.result_set, found.table, rows, price, hour=hour, among=shown[chosen])
    if not priced.rows:
        st.info("No row here uses labels.")
        return
    title = priced.title
    logarithmic = choose.switch(st, "Log axis", "log")
    said = f"{metric} against {title}, {len(priced.rows)} rows; the table below has the numbers."
    show(frontier_chart(priced, metric, title, logarithmic), "cost", said)
    meanings = "; ".join(f"{standing}: {meaning}" for standing, meaning in STANDINGS.items())
    left_out = "Rows of teachers that see the answers are left out."
    notes = frontier_notes(priced)
    st.caption(literal(f"{meanings}. {left_out} {notes[:1].upper()}{notes[1:]}."))
    _rows(priced, title, metric)


def _rows(priced: Frontier, title: str, metric: str) -> None:
    shown = {
        "": [one.status for one in priced.rows],
        "row": [one.title for one in priced.rows],
        title: [one.price for one in priced.rows],
        metric: [one.mean for one in priced.rows],
        "beaten by": [one.beaten_by or "" for one in priced.rows],
        "p adjusted": [one.p_adjusted for one in priced.rows],
    }
    config: dict[str, Any] = {
        title: st.column_config.NumberColumn(format="localized"),
        metric: st.column_config.NumberColumn(format="%.3f"),
        "p adjusted": st.column_config.NumberColumn(
            format="%.4f",
            help="How likely chance alone puts the row that beats it so far above it, over all pairs tested.",
        ),
    }
    config["row"] = st.column_config.TextColumn(width=WIDE)
    frame(shown, "Rows by price", config, save="cost-table", row=TALL, most=_MOST_ROWS)


def _stages(found: View) -> None:
    """Seconds of every row, stage by stage."""
    split = split_by_stage(found.result_set, found.table, list(found.rows.items()))
    if not split or not split[0].seconds:
        return
    st.subheader("Seconds by stage")
    drawn = split[:_MOST_BARS]
    show(
        stage_chart(drawn), "stages", "Seconds of each row by kind of stage, stacked; the table below has the numbers."
    )
    more = f" The first {_MOST_BARS} of {len(split)} rows are drawn." if len(split) > len(drawn) else ""
    st.caption(
        "All stages behind a row, the mean over its runs. Rows share stages and each counts them in full: the sum "
        "over rows is more "
        f"than a sweep takes.{more}"
    )
    kinds = list(split[0].seconds)
    shown = {"row": [one.name for one in split], **{kind: [one.seconds[kind] for one in split] for kind in kinds}}
    shown["sum"] = [one.total for one in split]
    number = st.column_config.NumberColumn(format="%.1f")
    frame(
        shown,
        "Seconds by stage",
        {**dict.fromkeys([*kinds, "sum"], number), "row": st.column_config.TextColumn(width=WIDE, pinned=True)},
        save="stages-table",
        row=TALL,
        most=_MOST_ROWS,
    )


def page() -> None:
    """The whole page."""
    heading("cost")
    found = view()
    said = (
        "What an hour of your machine costs, such as that of a rented GPU. USD are then the labels at their price and "
        "all hours behind a row: labelling, training, encoding and searching."
    )
    least = {"least": 0.0, "most": 1e6, "step": 0.5}
    hour = choose.number(
        st, "USD for an hour of the machine", "hour", **least, default=usual_hour(), form="%.2f", help=said
    )
    lacking = unpriced(found.table.rows, hour)
    prices = [price for price in PRICES if price not in lacking]
    for missing in (PRICES[name] for name in lacking):
        st.caption(literal(f"No row has any {missing.title}: {missing.lacking}."))
    price = choose.one(st, "Price", prices, "price")
    if price is None:
        st.info("No row says what it cost.")
    else:
        _frontier(found, price, hour)
    _stages(found)


page()
