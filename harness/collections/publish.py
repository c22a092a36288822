"""Folders that are there completely or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def publish(place: Path, write: Callable[[Path], None]) -> None:
    """Make the folder `place` by `write`, unless it is there: written beside it, fsynced, renamed. Safe between processes:
    the others wait and find it done; what a killed one left is removed.
    """
    if place.is_dir():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with _locked(place.with_name(f".{place.name}.lock")):
        if place.is_dir():
            return
        temporary = place.with_name(f".{place.name}.partial")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            write(temporary)
            for entry in (temporary, *temporary.rglob("*")):
                _sync(entry)
            temporary.rename(place)
            _sync(place.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _sync(entry: Path) -> None:
    handle = os.open(entry, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
