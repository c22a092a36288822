"""Relevance judgments in files: TREC qrels (four columns) and BEIR's tsv (three, with a header)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.collections.collection import Judgment, Qrels
from harness.collections.located_lines import LocatedLine, read_lines
from harness.errors import UserError

RIGHT = {
    3: "'q1<TAB>d7<TAB>1' (query, document, grade)",
    4: "'q1 0 d7 1' (query, iteration, document, grade)",
}
"""What a line of so many columns looks like."""

_GRADE = re.compile(r"[+-]?[0-9]{1,9}")
_GRADE_HEADINGS = frozenset({"score", "grade", "relevance", "rel", "label"})


def read_qrels(path: Path) -> Qrels:
    """The judgments of a TREC qrels file or a BEIR tsv file, plain or ``.gz``: query id -> document id -> grade.

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
    columns = 0
    for line in read_lines(path):
        fields = _fields(line.text)
        if not columns and len(fields) == 3 and fields[-1].lower() in _GRADE_HEADINGS:
            columns = 3
            continue
        columns = columns or len(fields)
        judgment = _judgment(path, line, fields, columns)
        grade, first = seen.setdefault((judgment.query, judgment.document), (judgment.grade, line.number))
        if grade != judgment.grade:
            raise UserError(
                f"query '{judgment.query}' and document '{judgment.document}' have grade {judgment.grade} here and "
                f"{grade} in line {first}",
                file=path,
                line=line.number,
                remedy="keep one of the two lines",
            )
        yield judgment


def _fields(text: str) -> list[str]:
    return [field.strip() for field in text.split("\t")] if "\t" in text else text.split()


def _judgment(path: Path, line: LocatedLine, fields: list[str], columns: int) -> Judgment:
    known = columns in RIGHT
    remedy = f"a right line looks like {RIGHT[columns] if known else f'{RIGHT[3]} or {RIGHT[4]}'}"
    if len(fields) != columns or not known:
        wanted = f"{columns} columns as the lines before it" if known else "3 or 4 columns"
        raise UserError(
            f"has {len(fields)} columns, not {wanted}: {_quoted(line.text)}", file=path, line=line.number, remedy=remedy
        )
    query, document, grade = fields[0], fields[-2], fields[-1]
    if not query or not document or any(len(field.split()) > 1 for field in fields):
        raise UserError(
            f"an id is empty or holds white space: {_quoted(line.text)}", file=path, line=line.number, remedy=remedy
        )
    if not _GRADE.fullmatch(grade):
        raise UserError(f"the grade {_quoted(grade)} is no whole number", file=path, line=line.number, remedy=remedy)
    return Judgment(query, document, int(grade))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
