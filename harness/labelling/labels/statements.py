"""Orders of passages inside free text: chains, lists, lines, tables, JSON; and what is no order although it names passages.

Every statement is found in time proportional to the text: no two repeats of a pattern that can share characters stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

Form = Literal["asked", "brackets", "list", "chain", "lines", "table", "named"]
"""How the identifiers were written: just as asked (``[2] > [1]``), or anyhow in brackets; a list of numbers (``[2, 1]``, JSON, or nothing
but numbers), a chain (``2 > 1``), numbered lines, a table, or named (``passage 2``).
"""
FORMS: tuple[Form, ...] = get_args(Form)


class Statement(NamedTuple):
    """Numbers in the order in which a part of the text gives them. `firm` ones say an order; others only mention passages."""

    form: Form
    numbers: tuple[str, ...]
    start: int
    end: int
    firm: bool = True


def statements(text: str) -> list[Statement]:
    """Every order that `text` states, and where it only mentions passages, that; in the order of their ends."""
    if _ASKED.match(text):
        return [Statement("asked", tuple(_NUMBER.findall(text)), 0, len(text))]
    if _ONLY.match(text):
        form: Form = "brackets" if "[" in text else "list"
        return [Statement(form, tuple(_NUMBER.findall(text)), 0, len(text))]
    found = [*_joined(text), *_objects(text), *_lines(text), *_tables(text), *_boxed(text), *_mentions(text)]
    return sorted((one for one in found if not _is_example(text, one)), key=lambda one: one.end)


def final_part(text: str) -> int:
    """Where the last part begins that calls itself final or a correction and states an order; 0 where none does."""
    boxes = [match.start(1) for match in _BOXED.finditer(text)]
    marks = sorted([*boxes, *(match.end() for match in _FINAL.finditer(text))], reverse=True)
    return next((mark for mark in marks[:_MARKS] if _NUMBER.search(text, mark)), 0)


def is_refusal(text: str) -> bool:
    """Whether it says that it will not, or that nothing fits."""
    return _REFUSAL.search(text) is not None or _NOTHING.search(text) is not None


_MARKS = 8
"""How many announcements of a final statement are looked at, from the last."""
_NUMBER = re.compile(r"\d+")
_ASKED = re.compile(r"\[\d+\](?:\s*>\s*\[\d+\])*\Z")
_ONLY = re.compile(r"(?:\d+(?:[\s,;]+\d+)*|\[\d+\](?:[\s,;]*\[\d+\])+)[.\s]?\Z")
_REFUSAL = re.compile(r"\b(?:sorry|apologi[sz]e|unable to|can(?:no|')t|can not|won't|as an ai)\b", re.IGNORECASE)
_NOTHING = re.compile(
    r"\b(?:none|neither|no passages?|nothing)\b[^.\n]{0,80}\b(?:relevant|relate[sd]?|answers?|match(?:es)?|fits?|helps?)\b", re.IGNORECASE
)
_FINAL = re.compile(
    r"\b(?:final(?:ly)?|correct(?:ion|ed)|revised|updated|conclusion|answer|result)\b[^\n:\d\[]{0,40}[:\n]",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\s{0,3}\{([^{}]{0,4000})\}")
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor (?:example|instance)\b|\bsuch as\b|\bin the form(?:at)?(?: of)?|\bformat (?:is|should be))[\s,:]{0,3}\Z",
    re.IGNORECASE,
)

_TOKEN = re.compile(
    r"""(?P<square>\[\s*(?P<a>\d+)\s*\])|(?P<round>\(\s*(?P<b>\d+)\s*\))|(?P<quoted>["']\[?(?P<c>\d+)\]?["'])"""
    r"""|(?P<ordinal>(?<![\w.])\d+\s?[.):](?=\s{0,3}[\[("']))|(?P<bare>(?<![\w.])\d+(?!\w|\.\d))"""
    r"""|(?P<join>[-=]?>|[≻→»])|(?P<comma>[,;、]|\b(?:and|then)\b)|(?P<open>\[)|(?P<close>\])|(?P<noise>[*_`]+|\b(?:[Pp]assage|[Dd]oc(?:ument)?|ID|id)\b)|(?P<word>\S)"""
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
            number = match["a"] or match["b"] or match["c"] or (match[0] if kind == "bare" else "")
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
            joint = joint or ("ordinal" if run and not chained else "")
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
    yield Statement(form, numbers, run[0].start, run[-1].end, firm)


_OBJECT = re.compile(r"\{[^{}]{0,2000}\}")
_ID = re.compile(
    r"""["'](?:id|identifier|passage|passage_id|document|doc|doc_id|docid|index|number)["']\s{0,3}:\s{0,3}["']?\[?(\d+)""", re.IGNORECASE
)
_RANK = re.compile(r"""["'](?:rank|position|place)["']\s{0,3}:\s{0,3}["']?(\d+)""", re.IGNORECASE)
_SCORE = re.compile(r"""["'](?:score|relevance|relevance_score|grade|rating)["']\s{0,3}:\s{0,3}["']?(-?\d+(?:\.\d+)?)""", re.IGNORECASE)


def _objects(text: str) -> Iterator[Statement]:
    """JSON objects that name a passage each; by their ranks or scores where all have some."""
    run: list[re.Match[str]] = []
    for match in _OBJECT.finditer(text):
        if run and text[run[-1].end() : match.start()].strip(" \t\r\n,"):
            yield from _ranked_objects(run)
            run = []
        if _ID.search(match[0]):
            run.append(match)
    yield from _ranked_objects(run)


def _ranked_objects(run: Sequence[re.Match[str]]) -> Iterator[Statement]:
    if len(run) < 2:
        return
    ids = [found[1] for match in run if (found := _ID.search(match[0]))]
    ranks = [float(found[1]) for match in run if (found := _RANK.search(match[0]))]
    scores = [-float(found[1]) for match in run if (found := _SCORE.search(match[0]))]
    for keys in (ranks, scores):
        if len(keys) == len(ids):
            ids = [id for _, id in sorted(zip(keys, ids, strict=True), key=lambda pair: pair[0])]
            break
    yield Statement("list", tuple(ids), run[0].start(), run[-1].end())


_LINE = re.compile(
    r"^[ \t*_>-]{0,8}(?:(?P<ordinal>\d{1,3})[ \t]?[.):][ \t*_]{0,4})?(?:(?:passage|document|doc|id)[ \t]?#?[ \t]?)?"
    r"(?P<left>[\[(]?)[ \t]?(?P<number>\d{1,6})[ \t]?[\])]?(?P<rest>[^\n]{0,300})",
    re.IGNORECASE | re.MULTILINE,
)


def _lines(text: str) -> Iterator[Statement]:
    """A passage a line: identifiers in brackets, or behind the numbers of the lines."""
    run: list[re.Match[str]] = []
    for match in _LINE.finditer(text):
        if not match["left"] and not match["ordinal"] and match["rest"].strip(" \t*_.,;"):
            continue
        if run and (text.count("\n", run[-1].end(), match.start()) > 2 or bool(run[-1]["ordinal"]) != bool(match["ordinal"])):
            yield from _statement_of_lines(run)
            run = []
        run.append(match)
    yield from _statement_of_lines(run)


def _statement_of_lines(run: Sequence[re.Match[str]]) -> Iterator[Statement]:
    numbers = tuple(match["number"] for match in run)
    if len(run) < 2 or any(">" in match["rest"] for match in run):
        return
    ordinals = [match["ordinal"] for match in run]
    if all(ordinals) and [int(one) for one in ordinals] != list(range(1, len(run) + 1)):
        return
    bare = [match["rest"].strip(" \t*_.,;:") == "" for match in run]
    spelled = all(match["left"] for match in run)
    reasons = all(one or match["rest"].lstrip(" ")[:1] in tuple("-–—:(,.") for match, one in zip(run, bare, strict=True))
    if not (spelled or all(bare) or (all(ordinals) and reasons)):
        return
    # Remarks passage by passage follow the order shown; an order with reasons hardly ever is that.
    firm = all(bare) or not ascends(numbers)
    yield Statement("brackets" if spelled else "lines", numbers, run[0].start(), run[-1].end(), firm)


_CELL = re.compile(r"\W*(?:passage|document|doc)?\W*(\d+)\W*\Z", re.IGNORECASE)
_NAMES = {
    "id": re.compile(r"passage|document|doc\b|\bid|identifier", re.IGNORECASE),
    "rank": re.compile(r"rank|position|place|#", re.IGNORECASE),
    "score": re.compile(r"score|relevance|grade|rating", re.IGNORECASE),
}


def _tables(text: str) -> Iterator[Statement]:
    """Rows of cells between bars: ranks beside passages in either order, or passages with scores."""
    rows: list[tuple[list[str], int, int]] = []
    place = 0
    for line in [*text.split("\n"), ""]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if "|" in line and len(line) < 2000 else []
        if len(cells) > 1:
            rows.append((cells, place, place + len(line)))
        elif rows:
            yield from _table(rows)
            rows = []
        place += len(line) + 1


def _table(rows: Sequence[tuple[list[str], int, int]]) -> Iterator[Statement]:
    heads = next((cells for cells, _, _ in rows if not any(map(_CELL.match, cells)) and any(any(cell.strip("-: ")) for cell in cells)), [])
    body = [cells for cells, _, _ in rows if any(map(_CELL.match, cells))]
    width = min((len(cells) for cells in body), default=0)
    columns = {n: [match[1] for cells in body if (match := _CELL.match(cells[n]))] for n in range(width)}
    whole = [n for n, found in columns.items() if len(found) == len(body) > 1]
    named = {role: next((n for n in whole if n < len(heads) and form.search(heads[n])), None) for role, form in _NAMES.items()}
    ids = named["id"]
    if ids is None and len(whole) > 1:
        # Without headings ranks come first.
        ids = next((n for n in whole[1:] if columns[whole[0]] == [str(rank) for rank in range(1, len(body) + 1)]), None)
    if ids is None:
        return
    numbers = columns[ids]
    keys = next(((columns[n], sign) for role, sign in (("rank", 1), ("score", -1)) if (n := named[role]) is not None and n != ids), None)
    if keys is not None:
        numbers = [id for _, id in sorted(zip([keys[1] * int(key[:9]) for key in keys[0]], numbers, strict=True), key=lambda pair: pair[0])]
    yield Statement("table", tuple(numbers), rows[0][1], rows[-1][2])


_BRACKET = re.compile(r"\[\s*(\d+)\s*\]")
_NAMED = re.compile(r"\b(?:passage|document|doc)s?\s{0,3}#?\s?(\d+)", re.IGNORECASE)


def _mentions(text: str) -> Iterator[Statement]:
    """Passages that are only mentioned, in brackets or by name."""
    forms: tuple[tuple[Form, re.Pattern[str]], ...] = (("brackets", _BRACKET), ("named", _NAMED))
    for form, pattern in forms:
        found = list(pattern.finditer(text))
        if found:
            yield Statement(form, tuple(match[1] for match in found), found[0].start(), found[-1].end(), firm=False)


def ascends(numbers: Sequence[str]) -> bool:
    """Whether these are 1, 2, 3 ... or 0, 1, 2 ..., each once or again and again: the order in which passages were shown."""
    first = [int(number[:9]) for number in dict.fromkeys(numbers)]
    return len(first) > 1 and first[0] in (0, 1) and first == list(range(first[0], first[0] + len(first)))


def _is_example(text: str, one: Statement) -> bool:
    return _EXAMPLE.search(text[max(0, one.start - 40) : one.start]) is not None
