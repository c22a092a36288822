"""Which rows a page speaks of by a letter or a number, for their names are too long for headings and narrow columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.text import literal


def row_list(rows: Mapping[str, str], where: Any = st) -> None:
    """Names by their letter or number, each in full on a line of its own."""
    where.markdown("  \n".join(f"**{key}** {literal(name)}" for key, name in rows.items()))
