"""Ways in which the model names the most relevant of a few passages: ``Passage A`` to ``Passage Z``."""

from __future__ import annotations

import re
from string import ascii_uppercase

from harness.labelling.strategies._answer_text import clear, last_line, spoken, unclear
from harness.labelling.strategies._defusing import defuse_letters
from harness.labelling.strategies.strategy import AnswerFormat, ParsedResponse, Strategy


class Choosing(Strategy):
    """Replies hold the one position that was named.

    An answer is clear when it (or its last line) is nothing but one identifier, when it calls just one passage the more
    or most relevant, or when it names just one passage and denies nothing. Everything else has failed, and so has a cut
    answer unless it is exactly as asked.
    """

    def identifier(self, position: int) -> str:
        return f"Passage {ascii_uppercase[position]}"

    def defuse(self, text: str) -> str:
        return defuse_letters(text)

    def answer(self, count: int) -> AnswerFormat:
        return AnswerFormat(choices=tuple(self.identifier(position) for position in range(count)))

    def answer_tokens(self, count: int) -> int:
        return 32

    def read(self, text: str, count: int, truncated: bool) -> ParsedResponse:
        said, cut = spoken(text, truncated)
        exact = said in self.answer(count).choices
        letters = {said[-1]} if exact else set() if cut else _letters(said)
        if len(letters) != 1:
            return unclear(text, said, cut)
        position = ascii_uppercase.index(letters.pop())
        if position >= count:
            return unclear(text, said, cut, outside=True)
        return clear(text, (position,), exact, cut)


_ONLY = re.compile(
    r"\W*(?:(?:the\s+)?(?:final\s+)?(?:answer|output|(?:(?:more|most)\s+relevant|best)(?:\s+passage)?)\s*(?:is)?\W*)?"
    r"(?:passage\W*)?([a-z])\W*\Z",
    re.IGNORECASE | re.ASCII,
)
_NAMED = r"\b(?i:passage)\s{1,3}([A-Z])\b"
_ANY = re.compile(_NAMED)
_MOST = re.compile(
    _NAMED
    + r"\W{0,3}\s(?:is|seems|appears)\s(?:clearly\s|slightly\s|much\s)?(?:the\s)?"
    + r"(?:(?:more|most)\s(?:directly\s)?relevant|better|best)\b"
)
_DENIED = re.compile(r"\b(?:less|least|not|neither|nor|none|irrelevant|unrelated|worse|worst)\b|n't\b", re.IGNORECASE)


def _letters(answer: str) -> set[str]:
    if only := _ONLY.match(last_line(answer)):
        return {only[1].upper()}
    return set(_MOST.findall(answer)) or (set() if _DENIED.search(answer) else set(_ANY.findall(answer)))
