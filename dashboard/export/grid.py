"""Tables as exported pages set them: a text and a value to sort by for every cell, values of every facet for every
row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LOOKS = {"number": "number", "place": "number", "text": ""}
"""How a kind of column is set. Numbers are sorted with the largest first, places with the first."""


class Link(NamedTuple):
    """A link to another page; `title` is what it is called in full."""

    address: str
    text: str
    title: str


class GridCell(NamedTuple):
    """A cell. `sort` is empty where there is nothing; `mood` is better or worse, or nothing."""

    text: str
    sort: str
    mood: str = ""
    links: tuple[Link, ...] = ()
    note: str = ""
    """Small letters below."""


class GridColumn(NamedTuple):
    """A heading over numbers, places or texts; `look` is a class of the stylesheet."""

    heading: str
    kind: str = "text"
    look: str = ""


class GridLine(NamedTuple):
    """A row of a table; `facets` are its values by facet, one a line."""

    cells: tuple[GridCell, ...]
    facets: Mapping[str, str] = {}


class Grid(NamedTuple):
    """A table."""

    columns: tuple[GridColumn, ...]
    lines: tuple[GridLine, ...]


def column(heading: str, kind: str = "text", look: str | None = None) -> GridColumn:
    """A column that looks as its kind does, unless told otherwise."""
    return GridColumn(heading, kind, LOOKS[kind] if look is None else look)


def cell(value: Any, form: str = "", mood: str = "") -> GridCell:
    """A value in the format `form`, sorted by what it is and not by how it is written; None is an empty cell."""
    return GridCell("", "") if value is None else GridCell(format(value, form), str(value), mood)


def grid(columns: Sequence[GridColumn], rows: Sequence[Sequence[GridCell]]) -> Grid:
    """A table whose rows have no facets."""
    return Grid(tuple(columns), tuple(GridLine(tuple(row)) for row in rows))
