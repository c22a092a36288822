"""How the lines of a qrels file are laid out: which column is what, and where columns end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.collections.file_formats.trec_ids import restored

_QUERY = frozenset({"query", "queryid", "qid", "q", "topic", "topicid", "qryid", "queryno", "topicno"})
_DOCUMENT = frozenset(
    {"corpusid", "document", "documentid", "doc", "docid", "docno", "did", "passage", "passageid", "pid", "iddoc"}
)
_GRADE = frozenset(
    {"score", "grade", "relevance", "rel", "label", "judgment", "judgement", "relevancescore", "relevancelabel", "qrel"}
    | {"relevancejudgment", "relevancegrade", "rating", "value"}
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}(\.0*)?")
_BLANKS = " \t\v\f\r"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=\t|\Z)')
_CONSTANTS = ("0", "Q0", "0%", "Q0%")


@dataclass(frozen=True)
class QrelsLayout:
    """`count` columns, of which `query`, `document` and `grade` are these; `unquotes` where fields may stand in
    quotation marks, as csv writers put them (two inside for one)."""

    count: int
    query: int = 0
    document: int = -2
    grade: int = -1
    constant: int | None = None
    unquotes: bool = True

    def judgment(self, text: str) -> tuple[str, str, str] | None:
        """Query, document and grade of a line, white space inside of ids kept; None where it has other columns.

        Tabs part the fields where that gives the columns, any blanks where it does not.
        """
        fields = next((fields for fields in self._readings(text) if len(fields) == self.count), None)
        if fields is None:
            return None
        query, document, grade = fields[self.query], fields[self.document], fields[self.grade]
        if self.constant is not None:
            query, document = restored(query, fields[self.constant].strip(), document)
        padded = grade[:1].isspace()
        return (query.strip(), document.strip(), grade.strip()) if padded else (query, document, grade.strip())

    def _readings(self, text: str) -> list[list[str]]:
        tabbed = [reading(line) for line in (text, text.strip()) for reading in (_csv_fields, _tab_fields)]
        if not self.unquotes:
            tabbed = [_tab_fields(text), _tab_fields(text.strip())]
        words = _words(text)
        return [*tabbed, [_unquoted(word) for word in words] if self.unquotes and self.count != 3 else words]


def detect(text: str) -> tuple[QrelsLayout, bool] | None:
    """The layout that the first line of a file has, and whether that line is a header; None where it has none that is
    known."""
    if (header := _header(text)) is not None:
        return header, True
    tabbed, words = _csv_fields(text.strip()), _words(text)
    mixed = len(tabbed) == 3 and len(words) == 4 and words[1] in _CONSTANTS and is_whole(words[3])
    count = len(tabbed) if len(tabbed) in (3, 4) and not mixed else len(words)
    if count == 4:
        quoted = len(tabbed) == 4 and _tab_fields(text.strip())[-1].startswith('"')
        return QrelsLayout(4, constant=1, unquotes=quoted), False
    return (QrelsLayout(3), False) if count == 3 else None


def _header(text: str) -> QrelsLayout | None:
    """The layout that a line of names says. Names of the grade are enough, since nobody's grade is a word."""
    for fields in (_csv_fields(text.strip()), [_unquoted(word) for word in _words(text)]):
        names = [re.sub(r"[^a-z0-9]", "", field.casefold()) for field in fields]
        places = [next((k for k, name in enumerate(names) if name in known), None) for known in (_QUERY, _DOCUMENT)]
        grade = next((k for k, name in enumerate(names) if name in _GRADE), None)
        if len(names) < 3 or (grade is None and (None in places or is_whole(fields[-1]))):
            continue
        query, document = (place if place is not None else other for place, other in zip(places, (0, -2), strict=True))
        grade = len(names) - 1 if grade is None else grade
        if len({query % len(names), document % len(names), grade}) == 3 and (len(names) <= 4 or None not in places):
            return QrelsLayout(len(names), query, document, grade)
    return None


def is_whole(grade: str) -> bool:
    """Whether `grade` is a whole number, written ``1`` or ``1.0``."""
    return _WHOLE.fullmatch(grade) is not None


def has_open_quote(text: str) -> bool:
    """Whether a field begins with a quotation mark that this text does not close: the id goes on in the next line."""
    last = _csv_fields(text)[-1]
    return any(field.startswith('"') for field in (last, *_tab_fields(text))) and not _QUOTED.fullmatch(last)


def _csv_fields(text: str) -> list[str]:
    """Fields between tabs; one that stands whole in quotation marks loses them, and may hold tabs. Any other quotation
    mark is a letter."""
    if '"' not in text:
        return text.split("\t")
    fields, place = [], 0
    while True:
        if found := _QUOTED.match(text, place):
            fields.append(found[1].replace('""', '"'))
            place = found.end()
        else:
            stop = text.find("\t", place)
            fields.append(text[place : stop if stop >= 0 else len(text)])
            place += len(fields[-1])
        if place >= len(text):
            return fields
        place += 1


def _tab_fields(text: str) -> list[str]:
    return text.split("\t")


def _words(text: str) -> list[str]:
    return re.split(f"[{_BLANKS}]+", text.strip(_BLANKS + "\n"))


def _unquoted(field: str) -> str:
    found = _QUOTED.fullmatch(field)
    return found[1].replace('""', '"') if found else field
