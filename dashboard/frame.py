"""A table on a page: as high as it needs to be, nothing where there is nothing, named for screen readers, saved as CSV
or LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from dashboard.save import save_button
from harness.leaderboard.render import table_files

_ROW, _MOST = 35, 22
"""Pixels of a row, and rows above which a table scrolls."""
TALL, TALLER, WIDE = 72, 108, 222
"""Pixels of a row of four lines, of one of six, and of a column of long names in it: on a narrow page the numbers
beside them stay in sight. Streamlit breaks no text in rows that are lower."""


def frame(
    data: Mapping[str, Any],
    name: str,
    config: Mapping[str, Any] | None = None,
    where: Any = st,
    *,
    save: str = "",
    row: int = _ROW,
    most: int = _MOST,
    **more: Any,
) -> Any:
    """Columns (lists) by heading under the `name` that a screen reader says; what `st.dataframe` answers with the same
    `more`.

    A row is `row` pixels high; above `most` rows the table scrolls. With `save`, the name of a file without ending, two
    buttons below save a table that has rows.
    """
    rows = max(map(len, data.values()), default=0)
    # An empty table says so in a row of its own.
    height = _ROW + row * min(max(rows, 1), most) + 3
    answer = where.dataframe(
        data,
        column_config=dict(config or {}),
        hide_index=True,
        width="stretch",
        height=height,
        row_height=row,
        placeholder="",
        alt=name,
        **more,
    )
    if save and rows:
        _buttons(data, name, save, where)
    return answer


def _buttons(data: Mapping[str, Any], name: str, save: str, where: Any) -> None:
    row = where.container(horizontal=True)
    forms = {
        "CSV": (partial(table_files.page_csv, data), "csv", "text/csv"),
        "LaTeX": (partial(table_files.page_latex, data, name), "tex", "text/x-tex"),
    }
    for label, (made, ending, mime) in forms.items():
        save_button(row, f"{name} as {label}", made, f"{save}.{ending}", mime, key=f"{save}-{ending}")
