"""Qrels with commas between the columns, as spreadsheets and csv writers put them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass


@dataclass(frozen=True)
class CommaLayout:
    """`count` columns, of which `query`, `document` and `grade` are these; fields may stand in quotation marks."""

    count: int
    query: int = 0
    document: int = -2
    grade: int = -1
    padded: bool = False
    """Whether blanks follow the commas and are no part of the fields."""

    def judgment(self, text: str) -> tuple[str, str, str] | None:
        """Query, document and grade of a line; None where it has other columns."""
        fields = comma_fields(text, self.padded)
        if len(fields) != self.count or self.has_open_quote(text):
            return None
        return fields[self.query], fields[self.document], fields[self.grade].strip()

    def has_open_quote(self, text: str) -> bool:
        """Whether a field begins with a quotation mark that this text does not close: the id goes on in the next
        line."""
        return text.count('"') % 2 == 1

    def columns(self, text: str) -> int:
        """How many columns a line has."""
        return len(comma_fields(text, self.padded))


def comma_fields(text: str, padded: bool) -> list[str]:
    """The fields of a line as a csv reader has them, where `padded` without blanks after the commas; none of a line
    that it refuses."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), skipinitialspace=padded), [])
    except csv.Error:
        return []
