"""Widgets whose choices stand in the page's address and stay when another page is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

_KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def one(where: Any, label: str, options: Sequence[str], key: str, *, default: str | None = None, help: str | None = None) -> str | None:
    """One of `options`, by default `default` or the first; None when there are none."""
    if st.session_state.get(key, default) not in options:
        st.session_state.pop(key, None)
    index = options.index(default) if default in options else 0 if options else None
    chosen = where.selectbox(label, options, index=index, key=key, help=help, **_KEPT)
    return None if chosen is None else str(chosen)


def several(where: Any, label: str, options: Sequence[str], key: str, *, most: int | None = None, help: str | None = None) -> list[str]:
    """Any of `options`, at first none."""
    _forget(key, options)
    found = where.multiselect(label, options, key=key, max_selections=most, help=help, **_KEPT)
    return [str(item) for item in found]


def switch(where: Any, label: str, key: str, *, default: bool = False, help: str | None = None) -> bool:
    """On or off."""
    return bool(where.toggle(label, value=default, key=key, help=help, **_KEPT))


def _forget(key: str, options: Sequence[str]) -> None:
    """Choices of another collection that this one does not have."""
    chosen = st.session_state.get(key)
    if chosen and not set(chosen) <= set(options):
        st.session_state[key] = [item for item in chosen if item in options]
