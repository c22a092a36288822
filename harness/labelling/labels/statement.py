"""A statement: an order of passages as a part of an answer gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

Form = Literal["asked", "brackets", "list", "chain", "lines", "table", "named"]
"""How the identifiers were written: just as asked (``[2] > [1]``), or anyhow in brackets; a list of numbers (``[2,
1]``, JSON, or nothing but numbers), a chain (``2 > 1``), numbered lines, a table, or named (``passage 2``).
"""
FORMS: tuple[Form, ...] = get_args(Form)


class Statement(NamedTuple):
    """Numbers in the order in which a part of the text gives them. `firm` ones say an order; others only mention
    passages. `is_group`: several passages in one breath, which may as well be those that do not fit."""

    form: Form
    numbers: tuple[str, ...]
    start: int
    end: int
    firm: bool = True
    is_group: bool = False


def ascends(numbers: Sequence[str]) -> bool:
    """Whether these are 1, 2, 3 ... or 0, 1, 2 ..., each once or again and again: the order in which passages were
    shown."""
    first = [int(number[:9]) for number in dict.fromkeys(numbers)]
    return len(first) > 1 and first[0] in (0, 1) and first == list(range(first[0], first[0] + len(first)))
