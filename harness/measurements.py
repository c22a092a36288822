"""What making an artefact took: noted by who makes it, told in its manifest, no file of the artefact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEASURED = "measured"
"""Key of a manifest under which measurements stand."""
_NOTE = ".measured.json"


def note_measured(folder: Path, values: Mapping[str, Any]) -> None:
    """Note `values`, plain data that another run of the stage which writes into `folder` would measure otherwise. They
    go into the manifest and are no file of the artefact, so that equal artefacts have equal hashes."""
    (folder / _NOTE).write_text(json.dumps(values), encoding="utf-8")


def take_measured(folder: Path) -> dict[str, Any]:
    """What was noted in `folder`, as a part of its manifest; the note is gone afterwards."""
    file = folder / _NOTE
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return {MEASURED: found}
