"""How the lines of a qrels file are laid out: which column is what, and where columns end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.collections.file_formats.comma_layout import CommaLayout, comma_fields
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

    def has_open_quote(self, text: str) -> bool:
        """Whether a field begins with a quotation mark that this text does not close: the id goes on in the next
        line."""
        last = _csv_fields(text)[-1]
        return any(field.startswith('"') for field in (last, *_tab_fields(text))) and not _QUOTED.fullmatch(last)

    def columns(self, text: str) -> int:
        """How many columns a line seems to have."""
        return column_count(text)

    def _readings(self, text: str) -> list[list[str]]:
        tabbed = [reading(line) for line in (text, text.strip()) for reading in (_csv_fields, _tab_fields)]
        if not self.unquotes:
            tabbed = [_tab_fields(text), _tab_fields(text.strip())]
        words = _words(text)
        return [*tabbed, [_unquoted(word) for word in words] if self.unquotes and self.count != 3 else words]


def detect(text: str) -> tuple[QrelsLayout | CommaLayout, bool] | None:
    """The layout that the first line of a file has, and whether that line is a header; None where it has none that is
    known."""
    if (commas := _comma_layout(text.strip())) is not None:
        return commas
    if (header := _header(text)) is not None:
        return header, True
    tabbed, words = _csv_fields(text.strip()), _words(text)
    mixed = len(tabbed) == 3 and len(words) == 4 and words[1] in _CONSTANTS and is_whole(words[3])
    count = len(tabbed) if len(tabbed) in (3, 4) and not mixed else len(words)
    if count == 4:
        quoted = len(tabbed) == 4 and _tab_fields(text.strip())[-1].startswith('"')
        return QrelsLayout(4, constant=1, unquotes=quoted), False
    return (QrelsLayout(3), False) if count == 3 else None


def _comma_layout(text: str) -> tuple[CommaLayout, bool] | None:
    """Where commas give the columns of the first line, and tabs or blanks do not."""
    padded = text.count(",") == text.count(", ")
    words, fields = _words(text), comma_fields(text, padded)
    blanks = len(words) in (3, 4) and not all(word.endswith(",") for word in words[:-1])
    if "\t" in text or (blanks and (is_whole(words[-1]) or _names([_unquoted(word) for word in words]))):
        return None
    if (named := _names(fields)) is not None:
        return CommaLayout(*named, padded=padded), True
    if len(fields) in (3, 4) and is_whole(fields[-1].strip()):
        return CommaLayout(len(fields), padded=padded), False
    return None


def _header(text: str) -> QrelsLayout | None:
    """The layout that a line of names says."""
    readings = (_csv_fields(text.strip()), [_unquoted(word) for word in _words(text)])
    named = next((named for fields in readings if (named := _names(fields)) is not None), None)
    return None if named is None else QrelsLayout(*named)


def _names(fields: list[str]) -> tuple[int, int, int, int] | None:
    """How many columns there are, and the places of query, document and grade, where `fields` are their names. That of
    the grade is enough, since nobody's grade is a word."""
    names = [re.sub(r"[^a-z0-9]", "", field.casefold()) for field in fields]
    places = [next((k for k, name in enumerate(names) if name in known), None) for known in (_QUERY, _DOCUMENT)]
    grade = next((k for k, name in enumerate(names) if name in _GRADE), None)
    if len(names) < 3 or (grade is None and (None in places or is_whole(fields[-1]))):
        return None
    query, document = (place if place is not None else other for place, other in zip(places, (0, -2), strict=True))
    grade = len(names) - 1 if grade is None else grade
    apart = len({query % len(names), document % len(names), grade}) == 3
    return (len(names), query, document, grade) if apart and (len(names) <= 4 or None not in places) else None


def is_whole(grade: str) -> bool:
    """Whether `grade` is a whole number, written ``1`` or ``1.0``."""
    return _WHOLE.fullmatch(grade) is not None


def column_count(text: str) -> int:
    """How many columns a line has between tabs, or between blanks where it holds no tab."""
    return len(text.strip().split("\t")) if "\t" in text.strip() else len(text.split())


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
