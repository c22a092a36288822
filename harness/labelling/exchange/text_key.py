"""Texts compared across projects: prompts cut passages, mend their encoding, and rewrite brackets in them.

A key holds what survives that: letters and digits, without case. In a text of Latin letters only ASCII counts, since
mended and broken accents differ in all else.
"""

from __future__ import annotations

import re

LENGTH = 400
"""Characters of a text's key; what agrees so far is the same text."""
_TITLED = re.compile(r"^\s*Title: (.{0,300}?)\s*\bContent: ", re.DOTALL)
_ASCII, _ANY = re.compile(r"[^a-z0-9]+"), re.compile(r"[\W_]+")


def text_key(text: str) -> str:
    """The key of a text; empty where it has neither letters nor digits. Titles of RankGPT's form (``Title: ...
    Content: ...``) count without these words."""
    start = _TITLED.sub(r"\1 ", text[: 4 * LENGTH]).casefold()
    ascii_only = _ASCII.sub("", start)
    if start.isascii():
        return ascii_only[:LENGTH]
    anything = _ANY.sub("", start)
    return (ascii_only if 2 * len(ascii_only) >= len(anything) else anything)[:LENGTH]
