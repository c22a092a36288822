"""A table on a page: as high as it needs to be, nothing where there is nothing, and named for screen readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

_ROW, _MOST = 35, 22
"""Pixels of a row, and rows above which a table scrolls."""


def frame(data: Mapping[str, list[Any]], name: str, config: Mapping[str, Any] | None = None, where: Any = st, **more: Any) -> Any:
    """Columns by heading under the `name` that a screen reader says; what `st.dataframe` answers with the same `more`."""
    rows = max(map(len, data.values()), default=0)
    height = _ROW * (min(rows, _MOST) + 1) + 3
    return where.dataframe(
        data, column_config=dict(config or {}), hide_index=True, width="stretch", height=height, placeholder="", alt=name, **more
    )
