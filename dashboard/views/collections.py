"""All collections: what each method is worth on each of them, and what they say together."""

from __future__ import annotations

import streamlit as st

from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.source import Folder, opened_folder
from dashboard.text import linked, literal, run_address
from harness.errors import UserError
from harness.leaderboard.board_model import Table
from harness.leaderboard.collections_meta import Meta, meta_of
from harness.leaderboard.overview.headline import headline
from harness.leaderboard.overview.method_grid import MethodCell, method_grid
from harness.leaderboard.overview.pooled_grid import pooled_columns
from harness.text import counted

# Lines that a page holds; the others are counted. (Streamlit would show a string here on the page.)
_MOST = 200
_HOW = (
    "Difference from the baseline of each collection, by the metric that leads there: ▲ better, ▼ worse at 0.05, "
    "adjusted over the whole table of that collection; without a mark no difference is shown, which does not mean "
    "equal. Losses and settings may differ; of several the cell counts them. Empty: not run. Each number "
    "opens a run behind it."
)


@st.cache_resource(max_entries=4, show_spinner="Combining collections")  # type: ignore[untyped-decorator]
def _combined(folder: str, mark: str, _opened: Folder) -> Meta | str:
    """What the collections say together, or why that cannot be said."""
    try:
        return meta_of(_opened.result_set)
    except UserError as error:
        return str(error)


def _link(cell: MethodCell, table: Table) -> str:
    return f"[{literal(cell.text)}]({run_address(table, cell.rows[0].run_ids[0])})"


def _grid(opened: Folder) -> None:
    st.subheader("Methods by collection")
    lines = method_grid(opened.board.tables)
    shown = {"method": [literal(line.name) for line in lines[:_MOST]]}
    for place, (name, table) in enumerate(opened.tables.items()):
        cells = [line.cells[place] for line in lines[:_MOST]]
        heading = literal(f"{name} ({table.metric} against {table.baseline or 'nothing'})")
        shown[heading] = [_link(cell, table) if cell else "" for cell in cells]
    st.table(shown, hide_index=True)
    more = f" {len(lines) - _MOST:,} more methods are on the pages of their collections." if len(lines) > _MOST else ""
    st.caption(literal(_HOW + more))


def _pooled(opened: Folder) -> None:
    st.subheader("All collections together")
    found = _combined(opened.folder, opened.state, opened)
    if isinstance(found, str):
        st.info(literal(found))
        return
    if not found.methods:
        st.info("No method stands beside the baseline on two collections or more with the same settings.")
    shown, numbers = pooled_columns(found)
    config = {name: st.column_config.NumberColumn(format=form) for name, form in numbers.items()}
    frame(shown, "All collections together", config, save="pooled")
    st.caption(literal(f"{found.family}. The command harness meta prints the collections behind each line."))
    for note in found.notes:
        st.caption(literal(f"Note: {note}."))


def page() -> None:
    """The whole page."""
    heading("collections")
    opened = opened_folder()
    st.caption(f"{counted(len(opened.tables), 'collection')}, {counted(opened.runs, 'run')}.")
    for name, table in opened.tables.items():
        st.markdown(f"**{literal(name)}**")
        st.markdown("\n".join(f"- {linked(sentence, table)}" for sentence in headline(table)))
    _grid(opened)
    if len(opened.tables) > 1:
        _pooled(opened)


page()
