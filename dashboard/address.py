"""What stands in the page's address, which is all that a view depends on: the same address opens the same view in any
session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.text import literal

Values = dict[str, list[str]]
_HELD = "_address"
KEYS = frozenset(
    {
        *("collection", "metric", "baseline", "search", "group", "teacher", "budget", "loss", "sees", "without"),
        *("intervals", "tests", "others", "costs", "verdicts", "tables", "axis", "target", "value", "fit", "band"),
        *("every", "reference", "rows", "against", "test", "correction", "a", "b", "bins", "price", "hour", "among"),
        *("log", "agree", "picks", "row", "run", "what", "query", "training", "scores", "method", "sweep", "claims"),
    }
)
"""What an address may hold; the choices of one page go along to all others."""
FORMER = {"shown": "rows"}
"""Keys of links from before, and what they are called now."""


@dataclass
class Held:
    """The choices of a session: those of the address, unless somebody just chose."""

    page: str
    values: Values
    notices: Any
    """Where on the page it is said what could not be found."""
    fresh: bool = True
    written: Values = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    """Keys whose value, come from elsewhere, is not to be had here."""
    touched: bool = False
    """Somebody chose since the last run, so the browser may not know yet what the address is now."""


def opened(page: str) -> None:
    """Read the address for `page`; to be called before anything is chosen there.

    A link from page to page that names some choices keeps all others. The browser's Back restores exactly what was
    there.
    """
    address = _found()
    held: Held | None = st.session_state.get(_HELD)
    if held is not None and held.page == page and (held.touched or address == held.written):
        held.fresh, held.notices = False, st.container()
    else:
        kept = {} if held is None or held.page == page or _back() else held.values
        held = st.session_state[_HELD] = Held(page, {**kept, **address}, st.container(), written=address)
    held.touched = False
    for key in [key for key in held.values if key not in KEYS]:
        unknown(key, literal(f"'{key}' in the address is nothing that a page here reads; it changes nothing."))
    write()


def _found() -> Values:
    """The browser's address, former keys by their names of now where those are not there."""
    address = {key: st.query_params.get_all(key) for key in st.query_params}
    for former, now in FORMER.items():
        if former in address:
            address.setdefault(now, address.pop(former))
    return address


def _back() -> bool:
    """Whether the browser's Back or Forward asked for this run."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def write() -> None:
    """Let the address say what is held."""
    held = _held()
    if held.written != held.values:
        held.written = dict(held.values)
        st.query_params.from_dict(held.values)


def fresh() -> bool:
    """Whether the address came from elsewhere: a link, the browser's Back, another page."""
    return _held().fresh


def values(key: str) -> list[str]:
    """What the address has under `key`."""
    return _held().values.get(key, [])


def link(**more: Iterable[str]) -> Values:
    """The parameters of a link to another page: all choices, and `more` in place of what they are."""
    return {**_held().values, **{key: list(value) for key, value in more.items()}}


def choose(key: str, chosen: Iterable[str]) -> None:
    """Hold `chosen` under `key`; nothing at all where it is empty."""
    held, found = _held(), list(chosen)
    held.doubtful.discard(key)
    held.values.pop(key, None)
    if found:
        held.values[key] = found


def touch() -> None:
    """Somebody chose; what the browser says the address is may be older."""
    _held().touched = True


def unknown(key: str, words: str) -> bool:
    """Say `words` where the address came with something under `key` that is not to be had; False where it only went out
    of sight."""
    held = _held()
    if not held.fresh and key not in held.doubtful:
        return False
    held.doubtful.add(key)
    held.notices.warning(words)
    return True


def _held() -> Held:
    found: Held = st.session_state[_HELD]
    return found
