"""The face: the names that are promised, and what importing them costs."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator

import harness
from tests.house.source import ROOT, modules

NAMES = [
    *("__version__", "Workspace", "Plan", "SweepResult", "run_method"),
    *("load_sweep", "load_board", "load_run", "load_qrels", "load_collection", "load_result", "evaluate", "compare"),
    *(
        "Method",
        "RetrieverMethod",
        "MethodInputs",
        "Teacher",
        "LedgerTeacher",
        "Task",
        "Ranking",
        "Strategy",
        "Loss",
        "Target",
        "StudentType",
        "Stage",
        "Settings",
    ),
    "UserError",
]
"""All that Python users and plug-ins need. A new one is promised for good: name it in CHANGELOG."""


def test_the_face_is_what_is_promised() -> None:
    assert harness.__all__ == NAMES


def test_every_name_has_a_docstring_with_an_example() -> None:
    documented = {name: ast.get_docstring(node) or "" for name, node in _definitions()}

    assert {name for name, text in documented.items() if ">>> " in text} == set(harness.FACE)


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    imports = [one for node in modules()["harness"].tree.body if isinstance(node, ast.If) for one in node.body]
    typed = {alias.asname: one.module for one in imports if isinstance(one, ast.ImportFrom) for alias in one.names}

    assert typed == harness.FACE
    assert (ROOT / "harness" / "py.typed").is_file()


def test_no_public_name_is_a_module_of_the_package() -> None:
    assert [name for name in NAMES if f"harness.{name}" in modules()] == []


def test_importing_the_face_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import harness; print(*sorted(set(sys.modules) - before))"
    begun = time.perf_counter()
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    print(f"python -c 'import harness': {time.perf_counter() - begun:.2f} s")

    assert {name.partition(".")[0] for name in loaded} - {"harness"} <= sys.stdlib_module_names
    assert [name for name in loaded if name.startswith("harness.")] == ["harness._version"]


def _definitions() -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    for name, module in harness.FACE.items():
        for node in modules()[module].tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
                yield name, node
