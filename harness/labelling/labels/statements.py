"""Orders of passages inside free text: chains and lists; and what is no order although it names passages.

Every statement is found in time proportional to the text: no two repeats of a pattern that can share characters stand
side by side.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from harness.labelling.labels.statement import Form, Statement, ascends
from harness.labelling.labels.structured_statements import (
    statements_of_lines,
    statements_of_objects,
    statements_of_tables,
)


def statements(text: str) -> list[Statement]:
    """Every order that `text` states, and where it only mentions passages, that; in the order of their ends."""
    if _ASKED.match(text):
        return [Statement("asked", tuple(_NUMBER.findall(text)), 0, len(text))]
    if _ONLY.match(text):
        form: Form = "brackets" if "[" in text else "list"
        return [Statement(form, tuple(_NUMBER.findall(text)), 0, len(text))]
    structured = [*statements_of_objects(text), *statements_of_lines(text), *statements_of_tables(text)]
    found = [*_joined(text), *_reversed(text), *structured, *_boxed(text), *_mentions(text)]
    own = [one for one in found if not any(_is_introduced(words, text, one) for words in (_EXAMPLE, _SCORES))]
    # The order shown is no answer where there is another.
    new = [one for one in own if not _is_introduced(_SHOWN, text, one)]
    return sorted(new if any(one.firm for one in new) else own, key=lambda one: one.end)


def final_part(text: str) -> int:
    """Where the last part begins that calls itself final or a correction and states an order; 0 where none does."""
    boxes = [match.start(1) for match in _BOXED.finditer(text)]
    marks = sorted([*boxes, *(match.end() for match in _FINAL.finditer(text))], reverse=True)
    return next((mark for mark in marks[:_MARKS] if _NUMBER.search(text, mark)), 0)


def is_refusal(text: str) -> bool:
    """Whether it says that it will not, or that nothing fits."""
    return _REFUSAL.search(text) is not None or _NOTHING.search(text) is not None


_DIGITS = 6
_MARKS = 8
"""How many announcements of a final statement are looked at, from the last."""
_NUMBER = re.compile(r"\d+")
_ASKED = re.compile(r"\[\d+\](?:\s*>\s*\[\d+\])*\Z")
_ONLY = re.compile(r"(?:\d+(?:[\s,;]+\d+)*|\[\d+\](?:[\s,;]*\[\d+\])+)[.\s]?\Z")
_REFUSAL = re.compile(
    r"\b(?:sorry|apologi[sz]e|(?:unable|not able) to|can(?:no|')t|can not|won't|as an ai|lo siento|no puedo|désolée?|"
    r"ne peux pas|tut mir leid|kann [^.\n]{0,80}nicht|desculpe|não posso|mi dispiace|извините|не могу)\b|"
    r"抱歉|对不起|無法|无法|申し訳|できません|죄송",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"\b(?:none|neither|no "
    r"passages?|nothing)\b[^.\n]{0,80}\b(?:relevant|relate[sd]?|answers?|match(?:es)?|fits?|helps?)\b",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"\b(?:final(?:ly)?|correct(?:ion|ed)|revised|updated|conclusion|answer|result)\b[^\n:\d\[]{0,40}[:\n]",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\s{0,3}\{([^{}]{0,4000})\}")
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor (?:example|instance)\b|\bsuch as\b|\bin the form(?:at)?(?: of)?|\bformat (?:is|should "
    r"be))[\s,:]{0,3}\Z",
    re.IGNORECASE,
)
_SCORES = re.compile(r"""["'](?:scores?|grades?|ratings?)["']\s{0,3}:\s{0,3}\[?\s{0,3}\Z""", re.IGNORECASE)
_SHOWN = re.compile(
    r"\b(?:original|initial|given|presented|shown|input|default)(?:ly)?"
    r"(?:[ _-]?(?:order(?:ing)?|ranking|list|sequence))?(?: (?:was|is|were))?[^\w\n]{0,5}\Z",
    re.IGNORECASE,
)

_TOKEN = re.compile(
    r"""(?P<square>\[\s*(?P<a>\d+)\s*\])|(?P<round>\(\s*(?P<b>\d+)\s*\))"""
    r"""|(?P<quoted>["'](?i:passage|doc(?:ument)?|id)?[ _#-]{0,2}\[?(?P<c>\d+)\]?["'])"""
    r"""|(?P<ordinal>(?<![\w.])\d+\s?[.):](?=\s{0,3}[\[("']))|(?P<bare>(?<![\w.])\d+(?!\w|\.\d))"""
    r"""|(?P<join>[-=]?>=?|[≻→»]|(?:(?<=[\])])|(?<=[\])] ))[=≈~](?=\s{0,3}[\[(]))"""
    r"""|(?P<comma>[,;、]|\b(?:and|then)\b)|(?P<open>\[)|(?P<close>\])"""
    r"""|(?P<noise>[*_`]+|#(?=\d)|\b(?:[Pp]assage|[Dd]oc(?:ument)?|ID|id)\b)|(?P<word>\S)"""
)
_IDENTIFIERS = ("square", "round", "quoted", "bare")


class _Token(NamedTuple):
    kind: str
    number: str
    start: int
    end: int


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup if match.lastgroup not in ("a", "b", "c") else None
        kind = kind or next(name for name in _IDENTIFIERS if match[name] is not None)
        if kind != "noise":
            number = match["a"] or match["b"] or match["c"] or (match[0] if kind in ("bare", "ordinal") else "")
            yield _Token(kind, number, match.start(), match.end())


def _boxed(text: str) -> Iterator[Statement]:
    for match in _BOXED.finditer(text):
        if _ONLY.match(match[1].strip()):
            yield Statement("list", tuple(_NUMBER.findall(match[1])), match.start(1), match.end(1))


def _joined(text: str) -> Iterator[Statement]:
    """Chains joined by >, bracketed identifiers joined by commas, and lists of numbers in square brackets."""
    run: list[_Token] = []
    joint, before = "", ""
    listed = chained = counted = False
    place = 0
    for token in _tokens(text):
        if token.kind in _IDENTIFIERS:
            if not joint or not _goes_on(run, joint, token, listed):
                yield from _statement(run, listed, chained or counted)
                run, listed, chained, counted = [], before == "open", False, False
            chained |= joint == "join"
            counted |= joint == "ordinal"
            run.append(token)
            joint = ""
        elif token.kind in ("join", "comma") and run and (before in _IDENTIFIERS or joint == "comma"):
            joint = token.kind
        elif token.kind == "ordinal":
            # "1. [4] 2. [2]": the numbers of the places join what stands at them.
            last, place = place, int(_NUMBER.findall(token.number)[0][:_DIGITS])
            joint = joint or ("ordinal" if run and not chained and place >= last else "")
            continue
        else:
            yield from _statement(run, listed, chained or counted)
            run, joint, chained, counted = [], "", False, False
        before = token.kind
    yield from _statement(run, listed, chained or counted)


def _goes_on(run: Sequence[_Token], joint: str, token: _Token, listed: bool) -> bool:
    """Whether `token` behind `joint` belongs to the run before it."""
    return bool(run) and (joint in ("join", "ordinal") or listed or (token.kind != "bare" and run[-1].kind != "bare"))


def _statement(run: Sequence[_Token], listed: bool, chained: bool) -> Iterator[Statement]:
    if len(run) < 2:
        return
    bracketed = any(token.kind in ("square", "round") for token in run)
    form: Form = "brackets" if bracketed else "list" if listed or run[0].kind == "quoted" else "chain"
    numbers = tuple(token.number for token in run)
    # "passages [1], [2] and [3]" is the prose's way to speak of them all.
    firm = chained or listed or not ascends(numbers)
    yield Statement(form, numbers, run[0].start, run[-1].end, firm, not (chained or listed))


_LESS = re.compile(
    r"\[\s?\d{1,6}\s?\](?:\s{0,3}<\s{0,3}\[\s?\d{1,6}\s?\])+|(?<![\w.])\d{1,6}(?:\s{0,3}<\s{0,3}\d{1,6}){2,}"
)


def _reversed(text: str) -> Iterator[Statement]:
    """Chains that begin with the least relevant: ``[3] < [1]``."""
    for match in _LESS.finditer(text):
        numbers = tuple(reversed(_NUMBER.findall(match[0])))
        yield Statement("brackets" if "[" in match[0] else "chain", numbers, match.start(), match.end())


_BRACKET = re.compile(r"\[\s*(\d+)\s*\]")
_RANGE = re.compile(
    r"(?<![-–—])(?<![-–—] )\[\s?(\d{1,6})\s?\]\s{0,2}(?:[-–—]|to|through|bis)\s{0,2}\[\s?(\d{1,6})\s?\](?!\s{0,2}[-–—])"
)
"""All of the passages in between, and no two of them; a chain of hyphens is none."""
_NAMED = re.compile(r"\b(?:passage|document|doc)s?\s{0,3}#?\s?(\d+)", re.IGNORECASE)


def _mentions(text: str) -> Iterator[Statement]:
    """Passages that are only mentioned, in brackets or by name."""
    forms: tuple[tuple[Form, re.Pattern[str]], ...] = (("brackets", _BRACKET), ("named", _NAMED))
    ranges = [match.span() for match in _RANGE.finditer(text) if int(match[1]) < int(match[2])]
    for form, pattern in forms:
        found = [match for match in pattern.finditer(text) if not _is_inside(match.start(), ranges)]
        if found:
            yield Statement(form, tuple(match[1] for match in found), found[0].start(), found[-1].end(), firm=False)


def _is_inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    before = bisect_right(spans, place, key=itemgetter(0))
    return before > 0 and place < spans[before - 1][1]


def _is_introduced(words: re.Pattern[str], text: str, one: Statement) -> bool:
    """Whether `words` stand right before a statement."""
    return words.search(text[max(0, one.start - 40) : one.start]) is not None
