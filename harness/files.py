"""Durable files: folders that are there complete or not at all, fsync, hashes, locks between processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place at the end; on an error it vanishes and `folder` stays as it was."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    try:
        temporary.chmod(0o755)
        yield temporary
        sync(temporary)
        _put(temporary, folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(temporary: Path, folder: Path) -> None:
    """Rename `temporary` to `folder`, setting aside what stands there; another writer of the same folder may do so at the same time."""
    for _ in range(100):
        try:
            temporary.rename(folder)
            return
        except OSError:
            if not folder.is_dir():
                raise
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old-", dir=folder.parent))
        with suppress(OSError):
            folder.rename(aside / folder.name)
        shutil.rmtree(aside, ignore_errors=True)
    raise OSError(f"{folder} is being written by others again and again")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes; the kernel frees it when its holder dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def sync_tree(folder: Path) -> None:
    """fsync everything below `folder`, then the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """sha256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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


def cache_home() -> Path:
    """Where what may be lost is kept for this user: ``HARNESS_CACHE``, or ``harness`` in the user's cache folder."""
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "harness"
