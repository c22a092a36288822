"""Folders that are made once a machine and user, not once a workspace: kept in the user's cache, compared with their
hashes whenever they are used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.files import atomic_folder, cache_home, sha256

_HASHES = "hashes.json"


def fill_from_cache(name: str, key: str, out: Path, make: Callable[[Path], None]) -> None:
    """Fill the empty folder `out` with what `make` writes for `key`: from the user's cache, where that holds it whole.

    What `make` raises is raised. A cache that is damaged, or that cannot be read or written, costs time only.
    """
    place = cache_home() / name / key
    with suppress(OSError, ValueError):
        if _is_whole(place):
            _copy(place, out)
            return
    make(out)
    with suppress(OSError), atomic_folder(place) as draft:
        _copy(out, draft)
        (draft / _HASHES).write_text(json.dumps(_hashes(draft)), encoding="utf-8")


def _is_whole(place: Path) -> bool:
    """Whether every file is there as it was written. Raises OSError or ValueError where that cannot be told."""
    return bool(json.loads((place / _HASHES).read_text(encoding="utf-8")) == _hashes(place))


def _hashes(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != _HASHES)
    return {file.relative_to(folder).as_posix(): sha256(file) for file in files}


def _copy(folder: Path, out: Path) -> None:
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_HASHES))
