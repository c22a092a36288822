"""Which plug-ins `harness check` has passed, by the hash of their source: kept in the user's cache, for the cards of
their runs."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from harness.files import atomic_file, cache_home


def note_passed(group: str, name: str, code: str) -> None:
    """The plug-in `name` of the entry point group `group` keeps its contracts with the source that hashes to `code`. A
    cache that cannot be written costs a check."""
    with suppress(OSError), atomic_file(_file(group, name, code), fsync=False) as temporary:
        temporary.write_text(f"{group} {name} {code} {time.strftime('%Y-%m-%d')}\n", encoding="utf-8")


def is_passed(group: str, name: str, code: str) -> bool:
    """Whether it did, on this machine, with this very source."""
    return _file(group, name, code).is_file()


def _file(group: str, name: str, code: str) -> Path:
    return cache_home() / "checked" / hashlib.sha256(f"{group} {name} {code}".encode()).hexdigest()
