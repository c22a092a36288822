"""docs/api.md says what the docstrings say today."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import harness

DOCS = Path(__file__).parents[1] / "docs"


def test_the_reference_is_current() -> None:
    spec = importlib.util.spec_from_file_location("generate_api", DOCS / "generate_api.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)

    assert (DOCS / "api.md").read_text(encoding="utf-8") == made.page(), "run: python docs/generate_api.py"
    assert all(f"### {name}\n" in made.page() for name in harness.FACE)
