"""Leaderboard: who wins, at which budget, for how much, and is it real?"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import address, choose
from dashboard.forest import forest
from dashboard.frame import TALLER, frame
from dashboard.heading import heading
from dashboard.save import save_button
from dashboard.source import View, claimed, view
from dashboard.tables.table import TableDisplay, column_config, with_links
from dashboard.text import linked, literal
from dashboard.words import FILTERS, INTRODUCTION
from harness.claims.verdict_table import VERDICTS_ABOUT
from harness.leaderboard import row_texts
from harness.leaderboard.board import Board
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.comparison import FEWEST, MOST
from harness.leaderboard.filters import Filter, choices, passing_rows
from harness.leaderboard.overview.headline import headline
from harness.leaderboard.render import board_files
from harness.leaderboard.row_sections import by_sees
from harness.text import counted

_WHOLE, _APART = "together", "by what methods may see"
_TICKED = "ticked"
# Rows above which the table scrolls. (Streamlit would show a string here on the page.)
_MOST = 10


def _filter(table: Table) -> Filter:
    found = {}
    said = "Rows that hold all these words in what is shown of them: method, teacher, losses, settings, flags."
    words = frozenset(choose.words(st.sidebar, "Search", "search", help=said).lower().split())
    with st.sidebar.expander("Filters", expanded=True):
        for name, (label, help_text) in FILTERS.items():
            found[name] = frozenset(choose.several(st, label, choices(table, name), name, help=help_text))
    return Filter(**found, words=words)


def _summary(found: View) -> None:
    """What the verdicts of the table say, each number with a link to a run that it is of."""
    table = found.table
    st.markdown("\n".join(f"- {linked(sentence, table)}" for sentence in headline(table)))
    st.caption("Every verdict is of a test, never of means alone; a number opens the run that it is of.")


def _claims(found: View) -> None:
    """What was claimed before the runs, and what came of it."""
    summary = claimed(found)
    if summary is None:
        return
    st.subheader("Claimed beforehand")
    st.markdown(literal(summary.question))
    verdicts = {literal(name): [literal(text) for text in column] for name, column in summary.verdicts.items()}
    st.table(verdicts, hide_index=True)
    st.caption(literal(VERDICTS_ABOUT))
    forest(summary.panels)
    st.markdown("\n".join(f"- {literal(sentence)}" for sentence in summary.sentences))
    st.page_link("views/claims.py", label="Every comparison behind it", icon=":material/rule:")


def _columns() -> TableDisplay:
    with st.sidebar.expander("Columns", expanded=True):
        return TableDisplay(
            intervals=choose.switch(
                st, "Intervals", "intervals", default=True, help="95 % bootstrap interval of the mean."
            ),
            tests=choose.switch(
                st, "Significance", "tests", default=True, help="Difference from the baseline, with its adjusted p."
            ),
            others=choose.switch(st, "Other metrics", "others", default=True),
            costs=choose.switch(st, "Costs", "costs", default=True, help="Money for labels, tokens, seconds."),
            labels=choose.switch(
                st, "Label verdicts", "verdicts", help="How many of the teacher's answers could be read."
            ),
        )


def _ticks(table: Table, rows: tuple[Row, ...], displayed: TableDisplay, name: str) -> None:
    """A table of `rows`; which of them are ticked is held by their tags, for their numbers change with filters and
    metric."""
    ticked: set[tuple[str, ...]] = st.session_state.setdefault(_TICKED, set())
    look = {
        "on_select": address.touch,
        "selection_mode": "multi-row",
        "selection_default": {
            "selection": {"rows": [number for number, row in enumerate(rows) if row.run_ids in ticked]}
        },
        # Another table under the same key would inherit the numbers of the ticked rows.
        "key": f"table {hashlib.sha256(repr([row.run_ids for row in rows]).encode()).hexdigest()}",
    }
    chosen = frame(with_links(table, rows, displayed), name, column_config(table), row=TALLER, most=_MOST, **look)
    ticked -= {row.run_ids for row in rows}
    ticked |= {rows[number].run_ids for number in chosen.selection.rows if number < len(rows)}


def _tables(found: View, rows: tuple[Row, ...], displayed: TableDisplay) -> None:
    table = found.table
    help_text = (
        "One table for all rows, or one for each kind of thing that methods may see. Places and tests are "
        "those of the whole table."
    )
    if choose.one(st, "Rows", [_WHOLE, _APART], "tables", help=help_text) == _WHOLE:
        _ticks(table, rows, displayed, "Leaderboard")
    else:
        for sees, members in by_sees(rows).items():
            st.subheader(literal(f"sees {sees}"))
            _ticks(table, members, displayed, f"Methods that see {sees}")
    st.caption(literal(row_texts.caption(table)))
    _compare(found, rows)


def _compare(found: View, rows: tuple[Row, ...]) -> None:
    """The way to the comparison of the rows that are ticked, also of those that a filter hides."""
    ticked = {name: row for name, row in found.rows.items() if row.run_ids in st.session_state[_TICKED]}
    shown = {row.run_ids for row in rows}
    names = [name if row.run_ids in shown else f"{name} (hidden by the filters)" for name, row in ticked.items()]
    if FEWEST <= len(ticked) <= MOST:
        label = f"Compare {len(ticked)} rows"
        st.page_link(
            "views/compare.py", label=label, icon=":material/compare_arrows:", query_params=address.link(rows=ticked)
        )
    else:
        st.caption(f"Tick {FEWEST} to {MOST} rows to compare them (by keyboard with Shift and Space).")
    if names:
        st.caption(literal(f"Ticked: {'; '.join(names)}."))


def _methods(found: View) -> None:
    """The way to what each method is."""
    st.caption("What each method is:")
    with st.container(horizontal=True):
        for method in dict.fromkeys(row.method for row in found.table.rows):
            st.page_link("views/methods.py", label=literal(method), query_params=address.link(method=[method]))


def _rows(found: View, rows: tuple[Row, ...], displayed: TableDisplay) -> None:
    """What passes the filters, saved by buttons below."""
    _tables(found, rows, displayed)
    single, where = Board((replace(found.table, rows=rows),)), st.container(horizontal=True)
    save_button(where, "Table as CSV", partial(board_files.csv, single), "board.csv", "text/csv")
    save_button(where, "Table as LaTeX", partial(board_files.latex, single), "board.tex", "text/x-tex")
    _methods(found)


def page() -> None:
    """The whole page."""
    heading("leaderboard")
    st.markdown(INTRODUCTION)
    found = view()
    rows, shown = passing_rows(found.table, _filter(found.table)), _columns()
    table = found.table
    hidden = f", {counted(len(table.rows) - len(rows), 'row')} hidden" if len(rows) < len(table.rows) else ""
    _summary(found)
    # Judging them takes seconds: the table does not wait for it.
    place = st.container()
    st.subheader(literal(f"{table.collection} · {table.split} · {counted(table.queries, 'query')}{hidden}"))
    if rows:
        _rows(found, rows, shown)
    else:
        st.info("No row passes the filters. Take one away.")
    with place:
        _claims(found)


page()
