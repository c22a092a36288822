"""The rows that Compare and Query open with: the baseline, and the best row of each method."""

from __future__ import annotations

import streamlit as st

from dashboard import address
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.comparison import MOST
from harness.leaderboard.row_texts import titles

_CHOSEN = (
    "Chosen by their means on these very queries, the best row of each method beside the baseline: the luckiest look "
    "best. Take others above."
)


def usual_rows(table: Table) -> list[str]:
    """By name, the baseline first; rows that see the answers do not compete and are none of them."""
    competing = {name: row for name, row in titles(table).items() if row.rank is not None}
    first = next((name for name, row in competing.items() if _is_baseline(row, table)), None)
    best: dict[str, str] = {}
    for name, row in competing.items():
        if name != first:
            best.setdefault(f"{row.method} {row.teacher_type == 'placebo'}", name)
    return [*([first] if first else []), *best.values()][:MOST]


def _is_baseline(row: Row, table: Table) -> bool:
    return row.method == table.baseline or row.name == table.baseline


def usual_note(key: str) -> None:
    """Say how the rows were chosen, where nobody chose them."""
    if not address.values(key):
        st.caption(_CHOSEN)
