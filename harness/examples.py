"""The sweep files that come with the package, to be read, copied and changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.errors import UserError, did_you_mean
from harness.shipped import carried


def examples() -> dict[str, Path]:
    """The files by their names."""
    return {file.stem: file for file in sorted(carried("configs").glob("*.yaml"))}


def example(name: str) -> Path:
    """The file of that name. Raises UserError when there is none."""
    known = examples()
    if name not in known:
        raise UserError(f"unknown example '{name}'", remedy=did_you_mean(name, known))
    return known[name]


def described_examples() -> list[dict[str, Any]]:
    """``[{"name", "summary", "source", "needs"}]`` of all, the summary being what the sweep asks."""
    return [describe_example(name) for name in examples()]


def describe_example(name: str) -> dict[str, Any]:
    """One of them with the text of its file. Raises UserError for an unknown name."""
    file = example(name)
    text = file.read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    about = {"name": name, "summary": content.get("description", ""), "source": "", "needs": []}
    return {**about, "file": str(file), "text": text}


def with_parents(file: Path) -> list[Path]:
    """`file` and the files that it extends, directly or through others."""
    parent = yaml.safe_load(file.read_text(encoding="utf-8")).get("extends")
    return [file, *(with_parents(file.parent / parent) if parent else [])]
