"""Folders that are there completely or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from harness.files import locked, sync, sync_tree


def publish(place: Path, write: Callable[[Path], None]) -> None:
    """Make the folder `place` by `write`, unless it is there: written beside it, fsynced, renamed. Safe between processes:
    the others wait and find it done; what a killed one left is removed.
    """
    if place.is_dir():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.with_name(f".{place.name}.lock")):
        if place.is_dir():
            return
        temporary = place.with_name(f".{place.name}.partial")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            write(temporary)
            sync_tree(temporary)
            temporary.rename(place)
            sync(place.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
