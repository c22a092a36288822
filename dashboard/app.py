"""The page: the board and its budget curve. Run by `dashboard.launch`."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from dashboard.charts import budget_curve
from dashboard.launch import RESULTS
from dashboard.table import column_config, columns
from dashboard.text import literal
from harness.board import cells, render
from harness.board.board import board
from harness.board.curves import chart, select
from harness.board.model import Board, Table
from harness.errors import UserError
from harness.evaluation.text import counted
from harness.published.folders import fingerprint


@st.cache_resource(max_entries=32, show_spinner="Reading results")  # type: ignore[untyped-decorator]
def _board(results: str, mark: str, metric: str | None) -> Board:
    """The board, made again when `mark` says that the folder changed."""
    return board(Path(results), metric=metric)


def _choice(label: str, options: list[str], parameter: str) -> str:
    """A selection that is part of the page's address."""
    wanted = st.query_params.get(parameter)
    chosen = st.sidebar.selectbox(label, options, index=options.index(wanted) if wanted in options else 0, key=parameter)
    st.query_params[parameter] = chosen
    return str(chosen)


def _name(table: Table) -> str:
    return f"{table.collection} · {table.split} · {table.content_hash[:8]}"


def _warnings(found: Board) -> None:
    for note in found.notes:
        st.warning(literal(note))
    if found.skipped:
        with st.expander(f"{counted(len(found.skipped), 'folder')} skipped"):
            for item in found.skipped:
                st.text(f"{item.folder}: {item.reason}")


def _draw(table: Table) -> None:
    groups = list(dict.fromkeys(row.group for row in table.rows))
    kept = st.sidebar.pills("Groups", groups, selection_mode="multi", default=groups, key="groups")
    rows = [row for row in table.rows if row.group in kept]
    st.subheader(literal(f"{table.collection} · {table.split} · {counted(table.queries, 'query')}"))
    st.dataframe(columns(table, rows), column_config=column_config(table), hide_index=True, width="stretch")
    st.caption(literal(cells.caption(table)))
    curves = chart(table)
    if curves is not None:
        shown = select(curves)
        st.subheader(literal(f"{table.metric} by number of labels"))
        st.altair_chart(budget_curve(shown), width="stretch")
        st.caption(literal(shown.note))
    left, right = st.columns(2)
    single = Board((table,))
    left.download_button("Table as CSV", render.csv(single), "board.csv", "text/csv")
    right.download_button("Table as LaTeX", render.latex(single), "board.tex", "text/x-tex")


def page() -> None:
    """The whole page."""
    st.set_page_config(page_title="Leaderboard", layout="wide")
    st.title("Leaderboard")
    results = os.environ.get(RESULTS, "results")
    mark = fingerprint(Path(results))
    found = _board(results, mark, None)
    _warnings(found)
    if not found.tables:
        st.info(literal(f"No published runs in {results}. Run a sweep first: harness sweep configs/budget.yaml"))
        return
    names = {_name(table): number for number, table in enumerate(found.tables)}
    number = names[_choice("Collection", list(names), "collection")]
    metric = _choice("Metric", list(found.tables[number].metrics), "metric")
    try:
        table = found.tables[number]
        _draw(table if metric == table.metric else _leading(results, mark, metric, table))
    except UserError as error:
        st.error(literal(str(error)))


def _leading(results: str, mark: str, metric: str, table: Table) -> Table:
    """`table` led by another metric."""
    led: Board = _board(results, mark, metric)
    return next(other for other in led.tables if _name(other) == _name(table))


page()
