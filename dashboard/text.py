"""Text from result folders on a page that reads Markdown."""

from __future__ import annotations

import re


def literal(text: str) -> str:
    """`text` as Streamlit's Markdown shows it letter for letter: no HTML, links, formulas, colours or emoji come of
    it."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
