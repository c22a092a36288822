"""Whether a passage holds a gold answer, as DPR decides it (Karpukhin et al., arXiv 2004.04906): ``has_answer`` over
its SimpleTokenizer.

Texts are decomposed (NFD) and cut into tokens: runs of letters, digits and marks, or any other single character that is
neither a separator nor a control. A passage holds an answer when the answer's lower-case tokens stand in it in a row.
Departure: an answer without a single token is held by no passage; DPR's loop finds it in all.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby

_END = "\0"
"""Stands around every token; a control character, so it is part of none."""


def tokens(text: str) -> list[str]:
    """The lower-case tokens of `text`."""
    return [token.lower() for token in _token().findall(unicodedata.normalize("NFD", text))]


def joined(text: str) -> str:
    """The tokens of `text` in a form in which `holds` can look for others."""
    return _END.join(["", *tokens(text), ""])


def holds(passage: str, answers: Iterable[str]) -> bool:
    """Whether one of the answers stands in the passage; all of them as `joined` gives them."""
    return any(len(answer) > len(_END) and answer in passage for answer in answers)


@cache
def _token() -> re.Pattern[str]:
    """DPR's pattern ``([\\p{L}\\p{N}\\p{M}]+)|([^\\p{Z}\\p{C}])`` in the words of the standard library, which knows no
    categories."""
    wanted: dict[str, list[str]] = {"word": [], "nothing": []}
    for kind, characters in groupby(map(chr, range(sys.maxunicode + 1)), _kind):
        if kind in wanted:
            found = list(characters)
            wanted[kind].append(f"{re.escape(found[0])}-{re.escape(found[-1])}")
    word, nothing = ("".join(ranges) for ranges in wanted.values())
    return re.compile(f"[{word}]+|[^{nothing}]")


def _kind(character: str) -> str:
    category = unicodedata.category(character)[0]
    return "word" if category in "LNM" else "nothing" if category in "ZC" else "other"


class PassageHits:
    """Texts as `joined` gives them, each made once however many queries found it."""

    def __init__(self) -> None:
        self._joined: dict[str, str] = {}

    def first_hit(self, texts: Iterable[str], answers: Sequence[str]) -> int | None:
        """The rank, from 1, of the first text that holds one of the answers; None where none does."""
        wanted = [joined(answer) for answer in answers]
        return next((rank for rank, text in enumerate(texts, 1) if holds(self._read(text), wanted)), None)

    def _read(self, text: str) -> str:
        if text not in self._joined:
            self._joined[text] = joined(text)
        return self._joined[text]
