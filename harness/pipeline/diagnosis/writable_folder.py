"""Whether a folder can be written to, asked without making it."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import UserError


def nearest_folder(folder: Path) -> Path:
    """The folder itself, or the first above it that is there."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())


def unwritable(name: str, folder: Path) -> UserError | None:
    """What keeps the folder of that option from being written to, or made; None where nothing does."""
    there = nearest_folder(folder)
    if not there.is_dir():
        return UserError(f"is no folder, so that the {name} cannot be written", there, remedy=f"give another --{name}")
    if not os.access(there, os.W_OK | os.X_OK):
        return UserError(
            f"the {name} cannot be written here", there, remedy=f"mend its rights or give another --{name}"
        )
    return None
