"""A small results folder, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.leaderboard.runs import put_board


@pytest.fixture(scope="session")
def _board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board") / "results"
    put_board(folder)
    return folder


@pytest.fixture
def results(_board: Path, tmp_path: Path) -> Path:
    """What `put_board` published; each test may change its copy."""
    return Path(shutil.copytree(_board, tmp_path / "results"))
