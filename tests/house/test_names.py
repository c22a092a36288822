"""One meaning a name, and names that say what a thing is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.source import SourceFile, files

PARTICIPLES = frozenset(
    {
        *(
            "told",
            "said",
            "kept",
            "made",
            "tried",
            "looks",
            "leading",
            "gathering",
            "remembered",
            "reading",
            "working",
            "alone",
            "here",
        ),
        *("apart", "behind", "beside", "alike", "heard", "lost", "shown"),
    }
)
"""Words for what happened to a thing. No module, class, function, field or parameter is called so, or has one in its
name."""
VAGUE = frozenset({"base", "stages", "render", "report", "commands", "values", "text"})
"""No module inside a room is called so: a module has the name of the one thing that it owns."""


def test_every_class_name_is_defined_once() -> None:
    places: dict[str, list[str]] = {}
    for file in files():
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(file.path))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_every_module_name_is_given_once() -> None:
    places: dict[str, list[str]] = {}
    for file in files("harness", "baselines"):
        if file.path.stem not in ("__init__", "__main__"):
            places.setdefault(file.path.stem, []).append(str(file.path))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_inside_a_room_has_a_vague_name() -> None:
    assert [
        str(file.path) for file in files("harness", "baselines") if file.path.stem in VAGUE and len(file.path.parts) > 2
    ] == []


def test_names_say_what_a_thing_is() -> None:
    wrong = [
        f"{file.path}:{line} {name}"
        for file in files()
        for name, line in _names(file)
        if PARTICIPLES.intersection(_words(name))
    ]

    assert wrong == [], "say what it is, not what happened to it (docs/architecture.md, names)"


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name)]


def _names(file: SourceFile) -> Iterator[tuple[str, int]]:
    """Modules, classes, functions, fields and parameters. Fields of settings are keys of sweep files, which stay as
    people wrote them."""
    yield file.path.stem, 1
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef):
            yield node.name, node.lineno
            yield from () if node.name.endswith("Settings") else _fields(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            if not isinstance(node, ast.Lambda):
                yield node.name, node.lineno
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            yield from ((one.arg, node.lineno) for one in every if one is not None)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, int]]:
    for child in node.body:
        targets = (
            [child.target]
            if isinstance(child, ast.AnnAssign)
            else child.targets
            if isinstance(child, ast.Assign)
            else []
        )
        yield from ((target.id, child.lineno) for target in targets if isinstance(target, ast.Name))
