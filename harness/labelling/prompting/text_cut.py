"""How long a text may be in a prompt: in words, and in tokens where there are no words (Chinese, base64, hashes)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

TOKENS_A_WORD = 8
"""More than text in words takes in any script, by the estimate below: ordinary text is cut by its words alone."""
_PIECE = re.compile(r"[A-Za-z]+|[^A-Za-z]")
_KEPT = 50_000
"""Texts that are kept cut."""

CountTokens = Callable[[str], int]


def safe_tokens(text: str) -> int:
    """Tokens of `text` by no tokenizer in particular, rather too many: three letters, a digit, a mark, or two bytes of
    any other script are one. The same on every machine, so that a prompt is the same on every machine."""
    return sum(map(_piece_tokens, _PIECE.findall(text)))


class CutText(NamedTuple):
    """A text as prompts have it."""

    text: str
    is_cut: bool
    is_defused: bool = False


class TextCut(dict[str, CutText]):
    """Cuts texts to `words` words, with one space between them (None: the text as it is), and to `tokens` tokens, and
    passes what is left through `defuse`; kept, since most passages are candidates of many queries.

    `count` is the teacher's own tokenizer; without one, tokens are `safe_tokens`.
    """

    def __init__(
        self,
        words: int | None,
        tokens: int,
        count: CountTokens | None = None,
        defuse: Callable[[str], str] = str,
    ) -> None:
        super().__init__()
        self._words, self._tokens, self._count, self._defuse = words, tokens, count, defuse

    def __missing__(self, text: str) -> CutText:
        parts = [text] if self._words is None else text.split(None, self._words)
        short = " ".join(parts[: self._words])
        fitting = self._fitting(short)
        safe = self._defuse(fitting)
        is_cut = len(fitting) < len(short) or (self._words is not None and len(parts) > self._words)
        found = CutText(safe, is_cut, safe != fitting)
        if len(self) < _KEPT:
            self[text] = found
        return found

    def _fitting(self, text: str) -> str:
        """As much of the beginning of `text` as the tokens allow."""
        # No tokenizer makes more tokens than there are bytes; four characters a letter need no look at the bytes.
        if len(text) * 4 <= self._tokens or len(text.encode("utf-8", "surrogatepass")) <= self._tokens:
            return text
        if self._count is None:
            return _estimated_prefix(text, self._tokens)
        return _counted_prefix(text, self._tokens, self._count)


def _piece_tokens(piece: str) -> int:
    if piece[0].isascii():
        return -(-len(piece) // 3) if piece[0].isalpha() else int(piece != " ")
    return -(-len(piece.encode("utf-8", "surrogatepass")) // 2)


def _estimated_prefix(text: str, most: int) -> str:
    left = most
    for match in _PIECE.finditer(text):
        needed = _piece_tokens(match[0])
        if needed > left:
            return text[: match.start() + (3 * left if match[0].isalpha() and match[0].isascii() else 0)].rstrip()
        left -= needed
    return text


def _counted_prefix(text: str, most: int, count: CountTokens) -> str:
    """The longest beginning that has no more than `most` tokens, to a character or so: the count grows with the
    length."""
    # A tokenizer is slow on what is a thousand times too long, and nothing behind this can fit.
    low, high = 0, min(len(text), 16 * most)
    if high == len(text) and count(text) <= most:
        return text
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(text[:middle]) <= most else (low, middle)
    return text[:low].rstrip()
