"""``--set a.b=v``: one value of a sweep file changed from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.located import Node, Place, complaint
from harness.config.yamlfile import read_text
from harness.errors import UserError, did_you_mean
from harness.validation import KeyPath

_HOW = "write it as --set candidates.depth=20"
_NAMED = {"teachers": "teacher", "definitions": "definition"}
"""Mappings whose keys are names chosen in the file."""


@dataclass(frozen=True)
class Override:
    """A path into the sweep file as it was typed, and the value to put there."""

    parts: tuple[str, ...]
    value: Node

    @property
    def defines(self) -> bool:
        """Whether it changes a definition, and so must come before references are replaced."""
        return self.parts[0] == "definitions"


def parse_override(text: str) -> Override:
    """``a.b=v`` with `v` read as YAML. Raises UserError."""
    path, equals, value = text.partition("=")
    place = Place(f"--set {text}")
    parts = tuple(path.strip().split("."))
    if not equals or not all(parts):
        raise complaint(place, (), "is not of the form a.b=v", _HOW)
    if parts[0] == "extends":
        raise complaint(place, ("extends",), "cannot be set", "write it into the file")
    faults: list[UserError] = []
    node = read_text(value, place, faults)
    for fault in faults:
        raise fault
    return Override(parts, node)


def apply(tree: Node, override: Override) -> Node:
    """`tree` with the value put in; what is not there yet is made. Raises UserError when the path cannot lead
    anywhere."""
    return _put(tree, override.parts, override.value, ())


def _put(node: Node, parts: Sequence[str], value: Node, done: KeyPath) -> Node:
    if not parts:
        return value
    if isinstance(node.value, list):
        return _put_into_list(node, node.value, parts, value, done)
    if isinstance(node.value, str) and done[:1] == ("methods",) and len(done) == 2:
        node = Node({"method": node}, node.place)
    if not isinstance(node.value, dict):
        raise complaint(
            value.place,
            done,
            f"is {node.value!r}, which has no parts",
            f"set the whole: --set {'.'.join(map(str, done))}=...",
        )
    key, rest = _key(node.value, parts)
    if key not in node.value:
        _check_name(done, key, rest, node.value, value.place)
    child = node.value.get(key, Node({}, value.place))
    return Node({**node.value, key: _put(child, rest, value, (*done, key))}, node.place)


def _key(mapping: dict[str, Node], parts: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The first key of a path and what follows; names with dots in them (``gpt-4.1``) are keys too."""
    for size in range(len(parts), 0, -1):
        if (key := ".".join(parts[:size])) in mapping:
            return key, parts[size:]
    return parts[0], parts[1:]


def _check_name(done: KeyPath, key: str, rest: Sequence[str], known: dict[str, Node], place: Place) -> None:
    kind = _NAMED.get(str(done[0])) if len(done) == 1 else None
    if kind == "definition" or (kind == "teacher" and rest):
        raise complaint(place, (*done, key), f"there is no {kind} '{key}'", did_you_mean(key, known))


def _put_into_list(node: Node, items: list[Node], parts: Sequence[str], value: Node, done: KeyPath) -> Node:
    index = int(parts[0]) if parts[0].isdecimal() else len(items)
    if index >= len(items):
        remedy = f"positions are 0 to {len(items) - 1}" if items else "set the whole list instead"
        raise complaint(
            value.place, (*done, parts[0]), f"there is no position {parts[0]} in this list of {len(items)}", remedy
        )
    changed = _put(items[index], parts[1:], value, (*done, index))
    return Node([*items[:index], changed, *items[index + 1 :]], node.place)
