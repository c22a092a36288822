"""From what a model wrote to an order, with a verdict: what was asked for, what had to be repaired, what is missing, what failed.

A number counts only where the text uses it as an identifier: in brackets first, then in the declared fallbacks. Digits of the prose
never do, and what the model did not place is never given a place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast, get_args

from harness.labelling.labels.ranking import Ranking, Verdict

Form = Literal["asked", "brackets", "list", "chain", "named"]
"""How the identifiers were written: just as asked (``[2] > [1]``), or anyhow in brackets; then the fallbacks, in the order in which
they are tried: a list of numbers (``[2, 1]``, or nothing but numbers), a chain (``2 > 1``), named (``passage 2``).
"""
FORMS: tuple[Form, ...] = get_args(Form)

Reason = Literal["wrong format", "repetition", "out of range", "missing", "truncated", "refused", "empty"]


@dataclass(frozen=True)
class Parsed:
    """Numbers of the shown passages from 1, best first, each at most once, and what was wrong. `form` is None when no order was found.

    Verdicts: ok (exactly as asked, and complete), repaired (complete once cleaned), partial (some are missing), failed (no order).
    """

    order: tuple[int, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...]
    form: Form | None

    def ranking(self, query: str, presented: Sequence[str], raw: str) -> Ranking:
        """The same for document ids in the order in which they were shown; documents without a place make the unordered tail."""
        placed = set(self.order)
        ordered = tuple(presented[number - 1] for number in self.order)
        tail = tuple(id for number, id in enumerate(presented, 1) if number not in placed)
        return Ranking(query, ordered, tail, self.verdict, ", ".join(self.reasons), raw)


def parse(text: str, count: int, truncated: bool = False, forms: Iterable[Form] = FORMS) -> Parsed:
    """Read an answer to the request to order passages 1 to `shown`.

    `truncated` says that the provider cut the answer; a cut is also seen in an unfinished identifier or thought. Of `forms`, only
    those given are understood. Never raises on any text.
    """
    if not truncated and "asked" in forms:
        # Nearly all answers of good models end here, and a ledger may hold a hundred thousand of them.
        placed = tuple(map(_identifiers(count).get, text.split(" > ")))
        if len(placed) == count == len({*placed} - {None}):
            return Parsed(cast("tuple[int, ...]", placed), "ok", (), "asked")
    found, unfinished = without_thoughts(unicodedata.normalize("NFKC", text))
    said = found.strip()
    cut = truncated or unfinished or _DANGLING.search(said) is not None
    form, numbers = _read(said, frozenset(forms))
    if cut and form in ("chain", "list") and said.endswith(numbers[-1]):
        # Its last number may be half a number.
        numbers = numbers[:-1]
    return _judged(said, form, numbers, count, cut)


@cache
def _identifiers(count: int) -> dict[str, int]:
    return {f"[{number}]": number for number in range(1, count + 1)}


def _judged(answer: str, form: Form | None, numbers: Sequence[str], count: int, cut: bool) -> Parsed:
    known = [int(number) for number in numbers if len(number) < 7]
    inside = [number for number in known if 1 <= number <= count]
    order = tuple(dict.fromkeys(inside))
    if not order:
        return Parsed((), "failed", no_order(answer, form, cut), None)
    faults: dict[Reason, bool] = {
        "wrong format": form != "asked",
        "repetition": len(order) < len(inside),
        "out of range": len(inside) < len(numbers),
        "missing": len(order) < count,
        "truncated": cut,
    }
    reasons = tuple(reason for reason, found in faults.items() if found)
    return Parsed(order, "partial" if faults["missing"] else "repaired" if reasons else "ok", reasons, form)


def no_order(answer: str, form: Form | None, cut: bool) -> tuple[Reason, ...]:
    if form is not None:
        return ("out of range",)
    if cut:
        return ("truncated",)
    if not answer:
        return ("empty",)
    return ("refused",) if _REFUSAL.search(answer) else ("wrong format",)


def without_thoughts(text: str) -> tuple[str, bool]:
    """The text without its thinking, and whether the thinking has no end."""
    before, closed, after = text.rpartition("</think>")
    # Some chat templates open the thought in the prompt, so that only its end is in the answer.
    ahead = before.partition("<think>")[0] if "<think>" in before else ""
    said, opened, _ = after.partition("<think>")
    return (f"{ahead} {said}" if closed else said), bool(opened)


# Every pattern runs in time proportional to the text: no two repeats that can share characters stand side by side.
_DANGLING = re.compile(r"(?:>|\[\s*\d*)\Z")
_REFUSAL = re.compile(r"\b(?:sorry|apologi[sz]e|unable to|can(?:no|')t|can not|as an ai)\b", re.IGNORECASE)
_ASKED = re.compile(r"\[\d+\](?:\s*>\s*\[\d+\])*\Z")
_BRACKET = re.compile(r"\[\s*(\d+)\s*\]")
_LIST = re.compile(r"\[\s*\d+(?:\s*,\s*\d+)+\s*\]?")
_ONLY = re.compile(r"\d+(?:[\s,]+\d+)*\.?\Z")
_NAMED = re.compile(r"\b(?:passage|document|doc)s?\s{0,3}#?\s?(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_TOKEN = re.compile(r"\[\s*(?P<bracket>\d+)\s*\]|(?P<bare>(?<![\w.])\d+(?!\w|\.\d|[.):]\s*\[))|(?P<join>[>,])|\S")


@dataclass
class _Run:
    """Numbers joined to one another, and whether any stands in brackets."""

    numbers: list[str] = field(default_factory=list)
    bracketed: bool = False


def _runs(text: str) -> list[_Run]:
    """Runs of two or more: joined by >, or by commas between brackets; the longest first, of equals the last."""
    runs = [_Run()]
    joined = ""
    last = ""
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup or ""
        if kind in ("bracket", "bare"):
            if joined != ">" and not (joined == "," and kind == "bracket"):
                runs.append(_Run())
            runs[-1].numbers.append(token[kind])
            runs[-1].bracketed |= kind == "bracket"
        joined = token[0] if kind == "join" and (last == "bracket" or (last == "bare" and token[0] == ">")) else ""
        last = kind
    return sorted((run for run in reversed(runs) if len(run.numbers) > 1), key=lambda run: -len(run.numbers))


def _asked(text: str) -> list[str]:
    return _NUMBER.findall(text) if _ASKED.match(text) else []


def _brackets(text: str) -> list[str]:
    """The longest run with brackets; all identifiers in brackets where none are joined."""
    return next((run.numbers for run in _runs(text) if run.bracketed), None) or _BRACKET.findall(text)


def _list(text: str) -> list[str]:
    if _ONLY.match(text):
        return _NUMBER.findall(text)
    return max(reversed([_NUMBER.findall(found) for found in _LIST.findall(text)]), key=len, default=[])


def _chain(text: str) -> list[str]:
    return next((run.numbers for run in _runs(text) if not run.bracketed), [])


_READERS: dict[Form, Callable[[str], list[str]]] = {
    "asked": _asked,
    "brackets": _brackets,
    "list": _list,
    "chain": _chain,
    "named": _NAMED.findall,
}


def _read(text: str, forms: frozenset[Form]) -> tuple[Form | None, list[str]]:
    """The first form that finds an identifier, and what it finds."""
    for form, reader in _READERS.items():
        if form in forms and (found := reader(text)):
            return form, found
    return None, []
