"""Text of strangers in files for others to open."""

from __future__ import annotations

import re


def inert(value: object) -> object:
    """`value` for a cell of a CSV file; text that a spreadsheet would run as a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def escaped_markdown(text: str) -> str:
    """`text` as GitHub's Markdown shows it letter for letter."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", text)


_LATEX = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "▲": r"$^{\blacktriangle}$",
    "▼": r"$^{\blacktriangledown}$",
    "→": r"$\to$",
    "–": "--",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def escaped_latex(text: str) -> str:
    """`text` as LaTeX sets it letter for letter."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
