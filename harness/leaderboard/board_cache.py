"""Finished boards in the user's own cache, so that a process that starts anew shows one without computing it.

A kept board counts only for the same state of the folder, the same choice and the same code; anything else is made
again. It is JSON, with every digit of every number.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from harness.files import remember
from harness.leaderboard.board import Board

MOST = 32
"""Boards that are kept of one folder, the newest."""


def cached_board(
    folder: Path,
    results: Path,
    state: str,
    make: Callable[[], Board],
    *,
    metric: str | None = None,
    baseline: str | None = None,
) -> Board:
    """The board of `results` in that `state` (see `load_results.state`) from the cache `folder`, or what `make` gives,
    which is then kept.

    What `make` raises is raised; a cache that is damaged or cannot be written is no error.
    """
    path = cache_path(folder, results, metric, baseline)
    found = remember(
        path, json.dumps([state, _code()]), partial(_with_room, path, make), _form().dump_json, _form().validate_json
    )
    return replace(found, folder=str(results))


def cache_path(folder: Path, results: Path, metric: str | None, baseline: str | None) -> Path:
    """Where the board of that choice lies inside `folder`."""
    choice = hashlib.sha256(json.dumps([metric, baseline]).encode()).hexdigest()[:16]
    return folder / f"{_prefix(results)}-{choice}.board.json"


def _prefix(results: Path) -> str:
    return hashlib.sha256(os.fsencode(results.resolve())).hexdigest()[:32]


def _with_room(path: Path, make: Callable[[], Board]) -> Board:
    """What `make` gives; room is made for it at `path`."""
    board = make()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = [one for one in path.parent.glob(f"{path.name.partition('-')[0]}-*.board.json") if one != path]
        newest = sorted(others, key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in newest[MOST - 1 :]:
            old.unlink(missing_ok=True)
    return board


@cache
def _form() -> TypeAdapter[Board]:

    return TypeAdapter(Board)


@cache
def _code() -> str:
    """A mark of this package's code, for a board may depend on any of it, and of the libraries that compute."""
    digest = hashlib.sha256(" ".join(map(version, ("numpy", "scipy"))).encode())
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
