"""Small collections as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.collections.parse import parse_source
from harness.collections.prepared import PreparedCollection, prepare
from tests.collections.folders import Load, MakeFolder, write_folder


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Writes a BEIR folder below the test's own folder; by default a right one of three documents."""

    def make(name: str = "data", **parts: Any) -> Path:
        return write_folder(tmp_path / name, **parts)

    return make


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Prepares a source in the test's own home."""

    def prepared(spec: str | Path | dict[str, Any], home: str = "home") -> PreparedCollection:
        return prepare(parse_source({"folder": str(spec)} if isinstance(spec, Path) else spec), tmp_path / home)

    return prepared
