"""A chart on a page: described for screen readers, and saved as SVG or PNG by two buttons below it."""

from __future__ import annotations

import io
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal

import altair as alt
import streamlit as st

from dashboard.save import save_button

_WIDTH = 720
"""Pixels of a saved chart; on a page it is as wide as there is room."""


Form = Literal["svg", "png"]
_FORMS: dict[Form, str] = {"svg": "image/svg+xml", "png": "image/png"}


def show(drawn: Any, name: str, caption: str, where: Any = st) -> None:
    """The Altair chart `drawn`; `name` is the saved files' name without ending, `caption` what a screen reader
    reads."""
    where.altair_chart(drawn, width="stretch", alt=caption)
    if find_spec("vl_convert") is None:
        where.caption("Saving charts needs the package vl-convert-python: pip install 'distil-harness[dashboard]'")
        return
    row = where.container(horizontal=True)
    for form, mime in _FORMS.items():
        chart = partial(saved, drawn, form)
        save_button(row, f"Chart as {form.upper()}", chart, f"{name}.{form}", mime, key=f"{name}-{form}")


def saved(drawn: alt.TopLevelMixin, form: Form) -> bytes:
    """The chart as a file; drawn on this machine and only when asked for, for that takes a second."""
    # As on a page, legend and axes count as part of the height.
    made: Any = drawn
    sized = made.properties(width=_WIDTH, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    if form == "svg":
        text = io.StringIO()
        sized.save(text, format=form)
        return text.getvalue().encode()
    picture = io.BytesIO()
    sized.save(picture, format=form, scale_factor=2)
    return picture.getvalue()
