"""What is written is there whole or not at all: files.py alone renames, and only commands print."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import SourceFile, files

RENAMING = ("harness/files.py", "harness/pipeline/store.py")
PRINTING = {"harness/plugins.py": 1}
"""How often files outside ``harness/cli`` may print: a plug-in that cannot be used is told of wherever plug-ins are
looked for."""


def test_nothing_else_moves_a_file_to_its_place() -> None:
    wrong = [
        f"{file.path}:{call.lineno}"
        for file in files()
        if str(file.path) not in RENAMING
        for call in _calls(file)
        if _renames(call)
    ]

    assert wrong == [], "write with atomic_file, atomic_folder, build_once or remember of harness/files.py"


def test_only_commands_print() -> None:
    prints = {str(file.path): sum(_name(call) == "print" for call in _calls(file)) for file in files()}

    assert {path: count for path, count in prints.items() if count and not path.startswith("harness/cli/")} == PRINTING


def _calls(file: SourceFile) -> Iterator[ast.Call]:
    return (node for node in ast.walk(file.tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    """``.rename`` of ``path.rename(...)``, ``os.rename`` of ``os.rename(...)``, ``print`` of ``print(...)``."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value
        return f"os.{call.func.attr}" if isinstance(owner, ast.Name) and owner.id == "os" else f".{call.func.attr}"
    return ""


def _renames(call: ast.Call) -> bool:
    """Whether it moves a file: texts are replaced with two arguments, dates and dataclasses with names."""
    name = _name(call)
    of_path = name in (".rename", ".replace") and len(call.args) == 1 and not call.keywords
    return of_path or name in ("os.rename", "os.replace", "os.renames")
