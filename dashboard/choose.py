"""Widgets whose choices stand in the page's address and stay when another page is opened.

What the address does not hold has its default, so a default may depend on other choices and still every address opens
one view.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from dashboard import address
from dashboard.text import literal

_SWITCH = ("false", "true")
_NOTHING = ""


def one(
    where: Any,
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: str | None = None,
    help: str | None = None,
    forget: Sequence[str] = (),
) -> str | None:
    """One of `options`, by default `default` or the first; None when there are none. Choosing another takes back the
    choices `forget`."""
    usual = default if default in options else next(iter(options), None)
    wanted = address.values(key)[-1:]
    if wanted and wanted[0] not in options:
        instead = "there is nothing to choose" if usual is None else f"shown instead: {usual}"
        _missing(key, [], f"{label}: '{wanted[0]}' is not here; {instead}.")
    value = wanted[0] if wanted and wanted[0] in options else usual
    _show(key, value)
    keep = partial(_keep, key, [] if usual is None else [usual], tuple(forget))
    chosen = where.selectbox(label, options, key=key, help=help, on_change=keep)
    return None if chosen is None else str(chosen)


def several(
    where: Any,
    label: str,
    options: Sequence[str],
    key: str,
    *,
    most: int | None = None,
    default: Sequence[str] = (),
    help: str | None = None,
) -> list[str]:
    """Any of `options`, at first those of `default`."""
    usual = list(default)
    named = address.values(key) or usual
    wanted = [] if named == [_NOTHING] else list(dict.fromkeys(named))
    there = [item for item in wanted if item in options]
    gone = [item for item in wanted if item not in options]
    if gone:
        names = ", ".join(f"'{item}'" for item in gone)
        _missing(key, there, f"{label}: {names} {'is' if len(gone) == 1 else 'are'} not here.")
    if most is not None and len(there) > most:
        _missing(key, there[:most], f"{label}: the address names {len(there)}; only the first {most} are shown.")
    _show(key, there[:most])
    keep = partial(_keep, key, usual, ())
    found = where.multiselect(label, options, key=key, max_selections=most, help=help, on_change=keep)
    return [str(item) for item in found]


def words(where: Any, label: str, key: str, *, help: str | None = None) -> str:
    """What somebody typed, at first nothing."""
    _show(key, " ".join(address.values(key)[-1:]))
    return str(where.text_input(label, key=key, help=help, on_change=partial(_keep, key, [""], ())))


def switch(where: Any, label: str, key: str, *, default: bool = False, help: str | None = None) -> bool:
    """On or off."""
    usual = _SWITCH[default]
    wanted = address.values(key)[-1:]
    if wanted and wanted[0] not in _SWITCH:
        _missing(key, [], f"{label}: '{wanted[0]}' is neither true nor false; shown instead: {usual}.")
    _show(key, (wanted[0] if wanted and wanted[0] in _SWITCH else usual) == "true")
    return bool(where.toggle(label, key=key, help=help, on_change=partial(_keep, key, [usual], ())))


def number(
    where: Any,
    label: str,
    key: str,
    *,
    least: float,
    most: float,
    default: float,
    step: float,
    form: str,
    help: str | None = None,
) -> float:
    """A number between two others, shown in a printf `form`."""
    wanted = address.values(key)[-1:]
    value = None
    with suppress(ValueError, IndexError):
        value = float(wanted[0])
    if wanted and (value is None or not least <= value <= most):
        _missing(
            key, [], f"{label}: '{wanted[0]}' is no number from {least:g} to {most:g}; shown instead: {default:g}."
        )
        value = None
    _show(key, default if value is None else value)
    keep = partial(_keep, key, [str(default)], ())
    return float(where.number_input(label, least, most, step=step, format=form, key=key, on_change=keep, help=help))


def _show(key: str, value: Any) -> None:
    """Let the widget of that key show `value`. On a new page the key has what another page's widget showed, which the
    new one does not."""
    if value is None:
        st.session_state.pop(key, None)
    elif address.fresh() or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _keep(key: str, usual: list[str], forget: tuple[str, ...]) -> None:
    """What was chosen goes to the address; the default is what an address without it means."""
    value = st.session_state[key]
    if isinstance(value, bool):
        value = _SWITCH[value]
    found = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    # That nothing is chosen must be said where without a word the default would be.
    address.choose(key, [] if found == usual else found or [_NOTHING])
    for other in forget:
        address.choose(other, [])
    address.touch()


def _missing(key: str, there: list[str], words: str) -> None:
    """Say what the address names in vain; what another choice took away is forgotten instead, but for what is
    `there`."""
    if not address.unknown(key, literal(words)):
        address.choose(key, there)
