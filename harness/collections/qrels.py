"""Relevance judgments in files: TREC qrels (four columns), BEIR's tsv (three), and tables, with commas
too, that may have a header which names the columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.collections.collection import Judgment, Qrels
from harness.collections.file_formats.comma_layout import CommaLayout
from harness.collections.file_formats.qrels_layout import QrelsLayout, column_count, detect, is_whole
from harness.collections.file_formats.seen_format import seen_format
from harness.collections.located_lines import LocatedLine, read_lines
from harness.errors import UserError

RIGHT = {
    3: "'q1<TAB>d7<TAB>1' (query, document, grade)",
    4: "'q1 0 d7 1' (query, iteration, document, grade)",
}
"""What a line of so many columns looks like."""
_LINES = 10
"""Most lines that an id in quotation marks may go over."""


def read_qrels(path: Path) -> Qrels:
    """The judgments of a TREC qrels file or a BEIR tsv file, plain or compressed: query id -> document id -> grade.

    Raises UserError with the line number when a line is corrupt or contradicts an earlier one, and when there is none
    at all.
    """
    qrels: Qrels = {}
    for query, document, grade in iter_qrels(path):
        qrels.setdefault(query, {})[document] = grade
    if not qrels:
        raise UserError("holds no judgments", file=path, remedy=f"right lines look like {RIGHT[3]} or {RIGHT[4]}")
    return qrels


def iter_qrels(path: Path) -> Iterator[Judgment]:
    """The judgments of a file in its order, repeated ones included; memory grows with their number, to find
    contradictions."""
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for number, judgment in _located(path):
        grade, first = seen.setdefault((judgment.query, judgment.document), (judgment.grade, number))
        if grade != judgment.grade:
            raise UserError(
                f"query '{judgment.query}' and document '{judgment.document}' have grade {judgment.grade} here and "
                f"{grade} in line {first}",
                file=path,
                line=number,
                remedy="keep one of the two lines",
            )
        yield judgment


def iter_judgments(path: Path) -> Iterator[Judgment]:
    """The same, contradictions included: for archives of others, where the last of them counts."""
    return (judgment for _, judgment in _located(path))


def _located(path: Path) -> Iterator[tuple[int, Judgment]]:
    layout: QrelsLayout | CommaLayout | None = None
    begun: LocatedLine | None = None
    for following in read_lines(path):
        line = following if begun is None else LocatedLine(begun.number, f"{begun.text}\n{following.text}")
        if layout is None:
            layout, is_header = _layout(path, line)
            if is_header:
                continue
        found = layout.judgment(line.text)
        if found is None and layout.has_open_quote(line.text) and line.text.count("\n") < _LINES - 1:
            begun = line
            continue
        begun = None
        yield line.number, _judgment(path, line, found, layout)
    if begun is not None and layout is not None:
        _judgment(path, begun, None, layout)


def _layout(path: Path, line: LocatedLine) -> tuple[QrelsLayout | CommaLayout, bool]:
    found = detect(line.text)
    if found is None:
        raise UserError(
            f"has {column_count(line.text)} columns, not 3 or 4: {_quoted(line.text)}{seen_format(path, 'qrels of')}",
            file=path,
            line=line.number,
            remedy=f"a right line looks like {RIGHT[3]} or {RIGHT[4]}",
        )
    return found


def _judgment(
    path: Path, line: LocatedLine, found: tuple[str, str, str] | None, layout: QrelsLayout | CommaLayout
) -> Judgment:
    remedy = f"a right line looks like {RIGHT.get(layout.count, f'{RIGHT[3]} or {RIGHT[4]}')}"
    if found is None:
        raise UserError(
            f"has {layout.columns(line.text)} columns, not {layout.count} columns as the lines before it: "
            f"{_quoted(line.text)}{seen_format(path, 'qrels of')}",
            file=path,
            line=line.number,
            remedy=remedy,
        )
    query, document, grade = found
    if not query or not document:
        raise UserError(f"an id is empty: {_quoted(line.text)}", file=path, line=line.number, remedy=remedy)
    if not is_whole(grade):
        raise UserError(
            f"the grade {_quoted(grade)} is no whole number{seen_format(path, 'qrels of')}",
            file=path,
            line=line.number,
            remedy=remedy,
        )
    return Judgment(query, document, int(float(grade)))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
