"""`extends`: a sweep file that starts from another one and says only what differs."""

from __future__ import annotations

from pathlib import Path

from harness.config.located import Node, complaint
from harness.config.yamlfile import read_file
from harness.errors import UserError, nearest

OWN = ("name", "description")
"""What a file never takes over from the one it extends."""


def read_merged(path: Path, faults: list[UserError], chain: tuple[Path, ...] = ()) -> Node:
    """The file at `path` merged over the files that it extends. Raises UserError when one cannot be read or they extend
    one another."""
    node = read_file(path, faults)
    base = node.child("extends")
    if base is None:
        return node
    if not isinstance(base.value, str):
        raise complaint(base.place, ("extends",), "must be the path of one sweep file")
    target = path.parent / base.value
    chain = (*chain, path.resolve())
    if target.resolve() in chain:
        circle = " -> ".join(file.name for file in (*chain[chain.index(target.resolve()) :], target))
        raise complaint(base.place, ("extends",), f"the files extend one another: {circle}")
    if not target.is_file():
        near = nearest(target.name, (file.name for file in target.parent.glob("*.y*ml")))
        raise complaint(
            base.place,
            ("extends",),
            f"there is no sweep file at '{target}'",
            near or "the path starts from the folder of this file",
        )
    return _over(_without(read_merged(target, faults, chain), OWN), node)


def _without(node: Node, keys: tuple[str, ...]) -> Node:
    assert isinstance(node.value, dict)
    return Node({key: child for key, child in node.value.items() if key not in keys}, node.place)


def _over(base: Node, node: Node) -> Node:
    """`node` laid over `base`: mappings merge key by key, everything else and a plug-in of another kind replaces."""
    if not (isinstance(base.value, dict) and isinstance(node.value, dict)) or _kind(base) != _kind(node, _kind(base)):
        return node
    merged = dict(base.value)
    for key, child in node.value.items():
        merged[key] = _over(merged[key], child) if key in merged else child
    return Node(merged, node.place)


def _kind(node: Node, default: object = None) -> object:
    kind = node.child("kind")
    return default if kind is None else kind.value
