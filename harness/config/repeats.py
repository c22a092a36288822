"""What a sweep file lists twice, which is no fault, since it counts once, and may yet be a slip."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.config.located import Node, Place, complaint
from harness.errors import UserError
from harness.validation import KeyPath

_LISTS: tuple[tuple[KeyPath, str], ...] = (
    (("collections",), "collection"),
    (("methods",), "method"),
    (("budgets",), "budget"),
    (("resamples",), "resample"),
    (("seeds",), "seed"),
    (("losses", "ranker"), "loss"),
    (("losses", "retriever"), "loss"),
    (("evaluate", "metrics"), "metric"),
    (("candidates", "engine"), "engine"),
)
"""Where lists stand whose entries count once, and what one of them is called."""


def repeats(tree: Node) -> Iterator[UserError]:
    """One notice an entry that stands in its list before, at its place; it says where it stood first and that it counts
    once."""
    for path, thing in _LISTS:
        node, taken = tree.follow(path)
        if taken == path and isinstance(node.value, list):
            yield from _twice(node.value, path, thing)


def _twice(items: list[Node], path: KeyPath, thing: str) -> Iterator[UserError]:
    first: dict[str, tuple[int, Place]] = {}
    for index, item in enumerate(items):
        entry = item.plain()
        mark = json.dumps({"method": entry} if thing == "method" and isinstance(entry, str) else entry, sort_keys=True)
        if mark in first:
            position, place = first[mark]
            where = (
                f"in line {place.line}" if place.line and place.line != item.place.line else f"at position {position}"
            )
            message = f"the {thing} {_text(entry)} is listed twice, first {where}; it counts once"
            yield complaint(item.place, (*path, index), message, _remedy(thing))
        first.setdefault(mark, (index, item.place))


def _text(entry: Any) -> str:
    return f"'{entry}'" if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)


def _remedy(thing: str) -> str | None:
    """What was meant, perhaps."""
    return (
        "several random starts are told by different numbers: seeds: [0, 1], or seeds: 2" if thing == "seed" else None
    )
