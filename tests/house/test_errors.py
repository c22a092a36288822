"""Wrong settings become words in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import SourceFile, files


def test_validation_errors_are_caught_in_one_place() -> None:
    catching = {str(file.path) for file in files() if "ValidationError" in set(_caught(file))}
    assert catching == {"harness/validation.py"}, "call harness.validation: validated, or checked inside a validator"


def _caught(file: SourceFile) -> Iterator[str]:
    """Names of the exceptions that a file catches, without the modules they come from."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            for name in ast.walk(node.type):
                if isinstance(name, ast.Name):
                    yield name.id
                elif isinstance(name, ast.Attribute):
                    yield name.attr
