"""Values of a sweep file that know where they were written, so that every complaint names a file and a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.errors import UserError
from harness.validation import KeyPath, dotted

Scalar = str | int | float | bool | None


class Place(NamedTuple):
    """A file (or the override that was typed) and a line in it, counted from 1."""

    file: str
    line: int | None = None


@dataclass(frozen=True)
class Node:
    """A value and its place: the line of its key in a mapping, its own line in a list."""

    value: Scalar | dict[str, Node] | list[Node]
    place: Place

    def plain(self) -> Any:
        """The value without places: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, part: str | int) -> Node | None:
        """What stands under a key or at a list position, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def follow(self, path: Sequence[str | int], /) -> tuple[Node, KeyPath]:
        """The deepest value on the way along `path`, and the parts that led there; parts that lead nowhere are passed
        over."""
        node, taken = self, []
        for part in path:
            if (child := node.child(part)) is not None:
                node = child
                taken.append(part)
        return node, tuple(taken)


def node_of(value: Any, place: Place) -> Node:
    """Dicts, lists, tuples and scalars as they come from Python, all at one place."""
    if isinstance(value, Mapping):
        return Node({str(key): node_of(child, place) for key, child in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node([node_of(child, place) for child in value], place)
    return Node(value, place)


def complaint(place: Place, path: Sequence[str | int], message: str, remedy: str | None = None) -> UserError:
    """A UserError at `place` about the value at `path`."""
    return UserError(message, file=place.file, line=place.line, key=dotted(path) or None, remedy=remedy)
