"""YAML text to values with places. Reads YAML 1.2's plain scalars: ``1e-5`` is a number, ``yes`` and ``2024-01-01`` are
text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.config.located import Node, Place, Scalar, complaint
from harness.config.syntax import syntax_error
from harness.errors import UserError, nearest

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_MERGE = f"{_CORE}merge"
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")


def read_file(path: Path, faults: list[UserError]) -> Node:
    """The mapping in a YAML file; keys written twice are added to `faults`. Raises UserError when it cannot be read at
    all."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        near = nearest(path.name, (file.name for pattern in ("*.yaml", "*.yml") for file in path.parent.glob(pattern)))
        # The name that commands take where none is given.
        writes = f"harness new sweep --collection NAME writes {'it' if path.name == 'sweep.yaml' else 'one'}"
        raise UserError("there is no such sweep file", file=path, remedy=near or writes) from error
    except OSError as error:
        remedy = "give the sweep file in it" if path.is_dir() else "mend its rights, or copy it"
        raise UserError(f"cannot be read: {error.strerror}", file=path, remedy=remedy) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError("is not UTF-8 text", file=path, line=line, remedy="save the file as UTF-8") from error
    node = read_text(text, Place(str(path), 1), faults)
    if not isinstance(node.value, dict):
        raise UserError(
            "a sweep file is a mapping of keys to values", file=path, line=1, remedy="start with: methods: [bm25]"
        )
    return node


def read_text(text: str, origin: Place, faults: list[UserError]) -> Node:
    """The value that `text` holds; `origin` has no line when the text comes from no file. Raises UserError for wrong
    syntax."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        return (
            Node(None, origin) if root is None else _Reader(loader, origin, faults).node(root, _place(root, origin), ())
        )
    except (yaml.YAMLError, RecursionError) as error:
        raise syntax_error(error, text, origin) from error
    finally:
        loader.dispose()


def _place(node: yaml.Node, origin: Place) -> Place:
    return Place(origin.file, node.start_mark.line + 1) if origin.line else origin


class _Reader:
    """Turns PyYAML's composed nodes into ours."""

    def __init__(self, loader: Any, origin: Place, faults: list[UserError]) -> None:
        self.loader = loader
        self.origin = origin
        self.faults = faults
        self.open: set[int] = set()

    def node(self, node: yaml.Node, place: Place, path: tuple[str | int, ...]) -> Node:
        if id(node) in self.open:
            raise yaml.MarkedYAMLError(
                problem="an alias refers to the value it stands in", problem_mark=node.start_mark
            )
        self.open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            value: Any = dict(self._items(node, path))
        elif isinstance(node, yaml.SequenceNode):
            value = [
                self.node(child, _place(child, self.origin), (*path, index)) for index, child in enumerate(node.value)
            ]
        else:
            assert isinstance(node, yaml.ScalarNode)
            value = _scalar(node)
        self.open.remove(id(node))
        return Node(value, place)

    def _items(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> Iterator[tuple[str, Node]]:
        self._refuse_twins(node, path)
        self.loader.flatten_mapping(node)
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be plain text", problem_mark=key.start_mark)
            yield key.value, self.node(value, _place(key, self.origin), (*path, key.value))

    def _refuse_twins(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> None:
        seen: dict[str, Place] = {}
        for key, _ in node.value:
            place = _place(key, self.origin)
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                line = seen[key.value].line
                where = f", first in line {line}" if line else ""
                self.faults.append(
                    complaint(place, (*path, key.value), f"this key is written twice{where}", "keep one of the two")
                )
            seen.setdefault(key.value, place)


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text, kind = str(node.value), node.tag.removeprefix(_CORE)
    if kind not in ("str", "int", "float", "bool", "null", "timestamp", "value"):
        raise yaml.MarkedYAMLError(problem=f"the tag {node.tag} is not supported", problem_mark=node.start_mark)
    if node.style:
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and (kind == "float" or (kind == "str" and "e" in text.lower())):
        return float(text)
    return text
