"""A small results folder, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.board.runs import put_board


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `put_board` published; tests leave it as it is."""
    results = tmp_path_factory.mktemp("dashboard") / "results"
    put_board(results)
    return results


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes of folders that tests make are kept nowhere else."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
