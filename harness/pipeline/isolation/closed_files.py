"""Files that stages of plug-ins may not open: judgments that their runs are rated by."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.pipeline.outcome.stage_fault import Refused

_EVENTS = ("open", "os.rename", "os.link", "os.symlink")
"""Of Python's audit, whose first argument is the file. Copies are opened."""


def close_files(files: Iterable[Path]) -> None:
    """From now on, and for good, whoever opens one of `files` through Python in this process, by whatever name, is
    refused. A plug-in that goes round Python (a library in C, a program that it starts) is not held by this."""
    closed = {mark for file in files if (mark := _mark(file)) is not None}
    if not closed:
        return

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and _mark(arguments[0]) in closed:
            raise Refused(f"it opens {os.fspath(arguments[0])!r}, which holds what its run is rated by")

    sys.addaudithook(refuse)


def _mark(file: Any) -> tuple[int, int] | None:
    """Which file it is; None for what is not there, and for descriptors, which were opened before."""
    if not isinstance(file, (str, bytes, os.PathLike)):
        return None
    try:
        status = Path(os.fsdecode(file)).stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
