"""Identifiers inside passages, written so that no model and no reader takes them for those of the prompt."""

from __future__ import annotations

import re

_OPENING = "[［【"
_ONE = r"\d{1,3}"
_BRACKETED = re.compile(rf"[\[［【]\s{{0,2}}({_ONE}(?:\s{{0,2}}[,;–-]\s{{0,2}}{_ONE}){{0,20}})\s{{0,2}}[\]］】]")
_LETTERED = re.compile(r"\b([Pp]assage) ([A-Z])\b")


def defuse_brackets(text: str) -> str:
    """``[12]`` as in Wikipedia, and rankings as ``[3] > [1]``, become ``(12)`` and ``(3) > (1)``; what rank_llm does as
    well."""
    # Most texts have none, and looking for three letters takes no time.
    return _BRACKETED.sub(r"(\1)", text) if any(mark in text for mark in _OPENING) else text


def defuse_letters(text: str) -> str:
    """``Passage B`` becomes ``Passage (B)``."""
    return _LETTERED.sub(r"\1 (\2)", text)
