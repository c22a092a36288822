"""`definitions`: values with a name, put wherever ``$name`` stands; a list put into a list is spliced in."""

from __future__ import annotations

import re

from harness.config.located import Node, complaint
from harness.errors import UserError, did_you_mean
from harness.validation import KeyPath

PATTERN = r"^\$[A-Za-z_][A-Za-z0-9_-]*$"
_REFERENCE = re.compile(PATTERN)


class References:
    """Replaces references; unknown and circular ones are added to `faults` and stay as they are."""

    def __init__(self, definitions: Node | None, faults: list[UserError]) -> None:
        self.definitions = definitions.value if definitions is not None and isinstance(definitions.value, dict) else {}
        self.faults = faults

    def resolve(self, node: Node, path: KeyPath = (), trail: tuple[str, ...] = ()) -> Node:
        """`node` with every reference in it replaced; `path` is where it stands, `trail` the definitions being put
        in."""
        if isinstance(node.value, dict):
            return Node(
                {key: self.resolve(child, (*path, key), trail) for key, child in node.value.items()}, node.place
            )
        if isinstance(node.value, list):
            return self._list(node, path, trail)
        name = _name(node)
        if name is None:
            return node
        if name not in self.definitions or name in trail:
            self._refuse(node, path, name, trail)
            return node
        return Node(self.resolve(self.definitions[name], path, (*trail, name)).value, node.place)

    def _list(self, node: Node, path: KeyPath, trail: tuple[str, ...]) -> Node:
        items: list[Node] = []
        assert isinstance(node.value, list)
        for child in node.value:
            found = self.resolve(child, (*path, len(items)), trail)
            spliced = isinstance(found.value, list) and _name(child) is not None
            items += found.value if spliced and isinstance(found.value, list) else [found]
        return Node(items, node.place)

    def _refuse(self, node: Node, path: KeyPath, name: str, trail: tuple[str, ...]) -> None:
        if name not in trail:
            self.faults.append(
                complaint(node.place, path, f"there is no definition '{name}'", did_you_mean(name, self.definitions))
            )
            return
        circle = trail[trail.index(name) :]
        start = circle.index(min(circle))
        message = f"the definitions contain one another: {' -> '.join((*circle[start:], *circle[: start + 1]))}"
        if all(fault.message != message for fault in self.faults):
            self.faults.append(complaint(node.place, path, message))


def _name(node: Node) -> str | None:
    return node.value[1:] if isinstance(node.value, str) and _REFERENCE.fullmatch(node.value) else None
