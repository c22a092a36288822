"""Reading short answers: what was said beside the thinking, and what an answer without a clear choice becomes."""

from __future__ import annotations

import unicodedata

from harness.labelling.labels.parser import Reason, no_order, without_thoughts
from harness.labelling.strategies.strategy import ParsedResponse

# Longer ones are prose; the limit also keeps the patterns for them in linear time.
_LINE = 80


def spoken(text: str, truncated: bool) -> tuple[str, bool]:
    """The answer without its thinking, and whether it was cut."""
    said, unfinished = without_thoughts(unicodedata.normalize("NFKC", text))
    return said.strip(), truncated or unfinished


def last_line(answer: str) -> str:
    """The last line where it is short enough to be an answer, else nothing."""
    line = answer.rpartition("\n")[2]
    return line if len(line) <= _LINE else ""


def unclear(text: str, answer: str, cut: bool, outside: bool = False) -> ParsedResponse:
    """A failed reply; `outside` says that the choice was clear but none of those given."""
    return ParsedResponse((), "failed", no_order(answer, "asked" if outside else None, cut), text=text)


def clear(text: str, order: tuple[int, ...], exact: bool, cut: bool, grade: float | None = None) -> ParsedResponse:
    """A reply with a choice, sound when it is written just as asked."""
    faults: dict[Reason, bool] = {"wrong format": not exact, "truncated": cut}
    reasons = tuple(reason for reason, found in faults.items() if found)
    return ParsedResponse(order, "repaired" if reasons else "ok", reasons, grade, text)
