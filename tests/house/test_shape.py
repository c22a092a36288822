"""Files, functions and folders stay small enough to be read."""

from __future__ import annotations

import ast
from statistics import median

from tests.house.source import files, folders

MOST_LINES = 300
MOST_OF_A_FUNCTION = 60
MOST_IN_A_FOLDER = 24


def test_no_file_is_too_long() -> None:
    assert [f"{file.path}: {n} lines" for file in files() if (n := file.text.count("\n")) > MOST_LINES] == []


def test_no_function_is_too_long() -> None:
    functions = [
        (f"{file.path}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for file in files()
        for node in ast.walk(file.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    long = [name for name, size in functions if size > MOST_OF_A_FUNCTION]

    assert long == []


def test_no_folder_holds_too_many_modules() -> None:
    assert {str(folder): len(inside) for folder, inside in folders().items() if len(inside) > MOST_IN_A_FOLDER} == {}


def test_the_usual_file_is_read_in_a_minute() -> None:
    lengths = [file.text.count("\n") for file in files() if file.path.name != "__init__.py"]

    assert 60 <= median(lengths) <= 140
