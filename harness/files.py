"""Durable files: files and folders that are there complete or not at all, small caches, fsync, hashes, locks between
processes."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

T = TypeVar("T")


@contextmanager
def atomic_file(file: Path, *, fsync: bool = True) -> Iterator[Path]:
    """A name beside `file` to write to; what is written takes the place of `file` at the end. On an error it vanishes
    and `file` stays as it was.

    No two writers get the same name, be they threads or processes: the last one counts. Without `fsync` a power cut may
    leave an empty file, which only a cache may be.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.new-{uuid4().hex[:12]}")
    try:
        yield temporary
        if fsync:
            sync(temporary)
        temporary.replace(file)
        if fsync:
            sync(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(place: Path) -> list[Path]:
    """What writers of the file or folder `place` that were killed left beside it, and what those that are at work write
    to."""
    return list(place.parent.glob(f".{glob.escape(place.name)}.new-*"))


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place at the end; on an error it vanishes and `folder` stays as
    it was."""
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
    """Rename `temporary` to `folder`, setting aside what stands there; another writer of the same folder may do so at
    the same time."""
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


def build_once(place: Path, write: Callable[[Path], None]) -> None:
    """Make the folder `place` by `write`, which gets an empty one, unless it is there. Safe between processes: the
    others wait and find it done; what a killed one left is removed.
    """
    if place.is_dir():
        return
    with locked(place.with_name(f".{place.name}.lock")):
        if place.is_dir():
            return
        for stale in leftovers(place):
            shutil.rmtree(stale, ignore_errors=True)
        with atomic_folder(place) as temporary:
            write(temporary)
            sync_tree(temporary)


def remember(
    file: Path,
    key: str,
    compute: Callable[[], T],
    dump: Callable[[T], bytes] = lambda value: json.dumps(value).encode(),
    load: Callable[[bytes], T] = json.loads,
) -> T:
    """What `compute` gives; from the cache `file` where that was written for the same `key`. What `compute` raises is
    raised.

    A cache that is damaged, or that cannot be read or written, costs time only; `load` raises ValueError for what
    `dump` never wrote.
    """
    with suppress(OSError, ValueError):
        mark, _, content = file.read_bytes().partition(b"\n")
        if mark == _mark(key, content):
            return load(content)
    value = compute()
    with suppress(OSError, ValueError):
        content = dump(value)
        with atomic_file(file, fsync=False) as temporary:
            temporary.write_bytes(_mark(key, content) + b"\n" + content)
    return value


def _mark(key: str, content: bytes) -> bytes:
    """What tells that `content` is whole and of `key`."""
    return hashlib.sha256(hashlib.sha256(key.encode()).digest() + content).hexdigest().encode()


def cache_home() -> Path:
    """Where what may be lost is kept for this user: ``HARNESS_CACHE``, or ``harness`` in the user's cache folder."""
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "harness"
