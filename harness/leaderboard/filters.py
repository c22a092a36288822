"""Which rows of a table are looked at. Tests and places stay those of the whole table: hiding a row changes no
number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table

NONE = "none"
"""How the absence of a teacher, budget or loss is written among the choices."""


@dataclass(frozen=True)
class Filter:
    """Values that a row must have, by facet; an empty facet lets everything through.

    A row passes `flags` when it has none of them, and `sees` when its method sees nothing else.
    """

    group: frozenset[str] = frozenset()
    teacher: frozenset[str] = frozenset()
    budget: frozenset[str] = frozenset()
    loss: frozenset[str] = frozenset()
    sees: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    """Flags that hide a row."""
    words: frozenset[str] = frozenset()
    """Small letters that must all stand somewhere in what is shown of a row."""

    def passes(self, row: Row) -> bool:
        """Whether the row is shown."""
        return all(_CHECKS[one.name](row, getattr(self, one.name)) for one in fields(self) if getattr(self, one.name))


def _any_of(facet: Callable[[Row], tuple[str, ...]]) -> Callable[[Row, frozenset[str]], bool]:
    return lambda row, wanted: not wanted.isdisjoint(facet(row))


def _group(row: Row) -> tuple[str, ...]:
    return (row.category,)


def _teacher(row: Row) -> tuple[str, ...]:
    return (row.teacher or NONE,)


def _budget(row: Row) -> tuple[str, ...]:
    return (row_texts.labels(row) or NONE,)


def _loss(row: Row) -> tuple[str, ...]:
    return tuple(loss for loss in (row.ranker_loss, row.retriever_loss) if loss) or (NONE,)


def _sees(row: Row) -> tuple[str, ...]:
    return row.sees or (NONE,)


def _text(row: Row) -> str:
    shown = (row_texts.title(row), row.category, row.teacher_type or "", row_texts.sees(row), *row.flags)
    return " ".join(shown).lower()


def _flags(row: Row) -> tuple[str, ...]:
    return row.flags


FACETS: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "group": _group,
    "teacher": _teacher,
    "budget": _budget,
    "loss": _loss,
    "sees": _sees,
    "without": _flags,
}
"""What a row has of each field of `Filter`."""

_CHECKS: dict[str, Callable[[Row, frozenset[str]], bool]] = {
    **{name: _any_of(facet) for name, facet in FACETS.items()},
    "sees": lambda row, wanted: wanted.issuperset(_sees(row)),
    "without": lambda row, wanted: wanted.isdisjoint(row.flags),
    "words": lambda row, wanted: all(word in _text(row) for word in wanted),
}


def choices(table: Table, facet: str) -> list[str]:
    """All values of a facet in `table`, in the order of its rows; budgets from the smallest."""
    rows = sorted(table.rows, key=lambda row: row.budget or 0) if facet == "budget" else table.rows
    return list(dict.fromkeys(value for row in rows for value in FACETS[facet](row)))


def passing_rows(table: Table, chosen: Filter) -> tuple[Row, ...]:
    """The rows of `table` that pass, in its order."""
    return tuple(row for row in table.rows if chosen.passes(row))
