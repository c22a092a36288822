"""Orders of passages in JSON objects, lines and tables, each found in time proportional to the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.labelling.labels.statement import Statement, ascends

_OBJECT = re.compile(r"\{[^{}]{0,2000}\}")
_ID = re.compile(
    r"""["'](?:id|identifier|passage|passage_id|document|doc|doc_id|docid|index|number)["']\s{0,3}:\s{0,3}["']?\[?(\d+)""",
    re.IGNORECASE,
)
_RANK = re.compile(r"""["'](?:rank|position|place)["']\s{0,3}:\s{0,3}["']?(\d+)""", re.IGNORECASE)
_SCORE = re.compile(
    r"""["'](?:score|relevance|relevance_score|grade|rating)["']\s{0,3}:\s{0,3}["']?(-?\d+(?:\.\d+)?)""", re.IGNORECASE
)


def statements_of_objects(text: str) -> Iterator[Statement]:
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


def statements_of_lines(text: str) -> Iterator[Statement]:
    """A passage a line: identifiers in brackets, or behind the numbers of the lines."""
    run: list[re.Match[str]] = []
    for match in _LINE.finditer(text):
        if not match["left"] and not match["ordinal"] and match["rest"].strip(" \t*_.,;"):
            continue
        if run and (
            text.count("\n", run[-1].end(), match.start()) > 2 or bool(run[-1]["ordinal"]) != bool(match["ordinal"])
        ):
            yield from _statement_of_lines(run)
            run = []
        run.append(match)
    yield from _statement_of_lines(run)


def _statement_of_lines(run: Sequence[re.Match[str]]) -> Iterator[Statement]:
    numbers = tuple(match["number"] for match in run)
    if len(run) < 2 or any(">" in match["rest"] for match in run):
        return
    ordinals = [match["ordinal"] for match in run]
    places = [int(one) for one in ordinals if one]
    if all(ordinals) and places == list(range(len(run), 0, -1)):
        # A countdown.
        numbers = numbers[::-1]
    elif all(ordinals) and places != list(range(1, len(run) + 1)):
        return
    bare = [match["rest"].strip(" \t*_.,;:") == "" for match in run]
    spelled = all(match["left"] for match in run)
    reasons = all(
        one or match["rest"].lstrip(" ")[:1] in tuple("-–—:(,.") for match, one in zip(run, bare, strict=True)
    )
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


def statements_of_tables(text: str) -> Iterator[Statement]:
    """Rows of cells between bars: ranks beside passages in either order, or passages with scores."""
    rows: list[tuple[list[str], int, int]] = []
    place = 0
    for line in [*text.split("\n"), ""]:
        cells = (
            [cell.strip() for cell in line.strip().strip("|").split("|")] if "|" in line and len(line) < 2000 else []
        )
        if len(cells) > 1:
            rows.append((cells, place, place + len(line)))
        elif rows:
            yield from _table(rows)
            rows = []
        place += len(line) + 1


def _table(rows: Sequence[tuple[list[str], int, int]]) -> Iterator[Statement]:
    heads = next(
        (
            cells
            for cells, _, _ in rows
            if not any(map(_CELL.match, cells)) and any(any(cell.strip("-: ")) for cell in cells)
        ),
        [],
    )
    body = [cells for cells, _, _ in rows if any(map(_CELL.match, cells))]
    width = min((len(cells) for cells in body), default=0)
    columns = {n: [match[1] for cells in body if (match := _CELL.match(cells[n]))] for n in range(width)}
    whole = [n for n, found in columns.items() if len(found) == len(body) > 1]
    named = {
        role: next((n for n in whole if n < len(heads) and form.search(heads[n])), None)
        for role, form in _NAMES.items()
    }
    ids = named["id"]
    if ids is None and len(whole) > 1:
        # Without headings ranks come first.
        ids = next((n for n in whole[1:] if columns[whole[0]] == [str(rank) for rank in range(1, len(body) + 1)]), None)
    if ids is None:
        return
    numbers = columns[ids]
    keys = next(
        (
            (columns[n], sign)
            for role, sign in (("rank", 1), ("score", -1))
            if (n := named[role]) is not None and n != ids
        ),
        None,
    )
    if keys is not None:
        numbers = [
            id
            for _, id in sorted(
                zip([keys[1] * int(key[:9]) for key in keys[0]], numbers, strict=True), key=lambda pair: pair[0]
            )
        ]
    # A remark on each passage is no order, wherever there are neither ranks nor scores.
    firm = keys is not None or named["id"] is None or not ascends(numbers)
    yield Statement("table", tuple(numbers), rows[0][1], rows[-1][2], firm)
