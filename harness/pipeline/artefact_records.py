"""What stays of artefacts that were taken out to save space: their manifests and small files, from which costs, loss
curves and counts of labels are still told, and what rests on what."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.files import atomic_folder
from harness.progress import MEASURED

MANIFEST = "artefact.json"
_LARGEST = 2**16
"""Bytes of a file that a record keeps; a manifest is kept whatever its size."""


def read_with_measured(folder: Path, name: str) -> dict[str, Any]:
    """The JSON file `name` of an artefact or a record, with what was measured when it was made, which stood in that
    file once."""
    found, manifest = (json.loads((folder / file).read_text(encoding="utf-8")) for file in (name, MANIFEST))
    return {**found, **manifest.get(MEASURED, {})}


@dataclass(frozen=True)
class ArtefactRecords:
    """``<root>/<kind>/<key>/`` for each artefact that was taken out."""

    root: Path

    def place(self, kind: str, key: str) -> Path:
        """Where the record of that artefact is or would be."""
        return self.root / kind / key

    def has(self, kind: str, key: str) -> bool:
        """Whether the artefact was taken out and not made again since."""
        return (self.place(kind, key) / MANIFEST).is_file()

    def folders(self) -> Iterator[Path]:
        """The folder of every record."""
        yield from (file.parent for file in self.root.glob(f"*/[0-9a-f]*/{MANIFEST}"))

    def keep(self, artefact: Path) -> None:
        """Write the record of the artefact in that folder of the store."""
        with atomic_folder(self.place(artefact.parent.name, artefact.name)) as folder:
            for file in artefact.iterdir():
                if file.name == MANIFEST or (file.is_file() and file.stat().st_size <= _LARGEST):
                    shutil.copyfile(file, folder / file.name)

    def drop(self, kind: str, key: str) -> None:
        """Remove a record, where there is one."""
        shutil.rmtree(self.place(kind, key), ignore_errors=True)
