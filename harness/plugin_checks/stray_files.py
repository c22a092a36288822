"""What a run writes beside its workspace: state by which a later run could end otherwise."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_SYSTEM = tuple(map(Path, ("/dev", "/proc", "/sys")))
_watches: list[set[str]] = []
"""One for each `written_outside` that is open. The hook stays for good, since Python takes none back, and idles while
there is none."""
_hooked: list[bool] = []


@contextmanager
def written_outside(home: Path) -> Iterator[list[Path]]:
    """Files that this process opened for writing meanwhile, that are still there at the end, and that lie neither below
    `home` nor in the caches that libraries keep for themselves. Filled at the end. What compiled code opens by itself
    is not seen.
    """
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    seen: set[str] = set()
    found: list[Path] = []
    _watches.append(seen)
    try:
        yield found
    finally:
        _watches.remove(seen)
        allowed = (home.resolve(), *_SYSTEM, *_caches())
        files = sorted({Path(name).resolve() for name in seen})
        found += [
            file
            for file in files
            if file.is_file() and not any(file.is_relative_to(one) for one in allowed) and not _code(file)
        ]


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if _watches and event == "open" and isinstance(given[0], str) and isinstance(given[2], int) and given[2] & WRITING:
        for watch in _watches:
            watch.add(str(Path.cwd() / given[0]))


def _caches() -> list[Path]:
    named = (os.environ.get(name) for name in ("XDG_CACHE_HOME", "HF_HOME", "TORCH_HOME"))
    return [Path(name).resolve() for name in named if name] + [(Path.home() / ".cache").resolve()]


def _code(file: Path) -> bool:
    return "__pycache__" in file.parts
