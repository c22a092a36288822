"""What goes into a file or a pipe is whole; a terminal's width counts where there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.leaderboard.runs import put_board

_COLUMNS = ("R@100", "RR@10", "USD", "train", "uncertain by")


def _board(results: Path, **environment: str) -> str:
    command = [sys.executable, "-m", "harness", "board", "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def test_a_pipe_cuts_nothing_and_a_width_that_was_asked_for_holds(tmp_path: Path) -> None:
    put_board(tmp_path / "results")
    clean = {"PATH": "", "PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)}
    whole, narrow = _board(tmp_path / "results", **clean), _board(tmp_path / "results", **clean, COLUMNS="80")
    (heading,) = [line for line in whole.splitlines() if " method " in line and "nDCG@10" in line]
    assert all(column in heading for column in _COLUMNS)
    assert "no room here for" not in whole and "…" not in whole
    assert "no room here for" in narrow and max(map(len, narrow.splitlines())) <= 80
