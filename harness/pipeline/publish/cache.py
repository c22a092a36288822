"""Which result folders hold which cells, so that a replay compares hashes and reads no card. Losing this costs time
only."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from harness.files import atomic_file, sha256
from harness.published.card import Card
from harness.published.result_folder import CARD
from harness.stage import digest_plain


class PublishedCache:
    """Folders with a mark of their cell and of the card file that stood there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._marks: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            self._marks = dict(json.loads(file.read_text(encoding="utf-8")))

    def holds(self, folder: Path, card: Card, files: Mapping[str, bytes] | None = None) -> bool:
        """Whether `folder` was found to hold the cell of `card` with these `files`, and its card file is still the
        same."""
        known = self._marks.get(str(folder.absolute()))
        return bool(known) and known == _mark(folder, card, files)

    def note(self, folder: Path, card: Card, files: Mapping[str, bytes] | None = None) -> None:
        """`folder` holds the cell of `card` with `files` now."""
        self._marks[str(folder.absolute())] = _mark(folder, card, files)

    def save(self) -> None:
        """Write it for the next sweep of this workspace."""
        with atomic_file(self._file, fsync=False) as temporary:
            temporary.write_text(json.dumps(self._marks), encoding="utf-8")


def _mark(folder: Path, card: Card, files: Mapping[str, bytes] | None) -> str:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in (files or {}).items()}
    try:
        labels = [card.label_counts] if card.labels is not None and card.labels.ok < card.labels.total else []
        further = [*labels, *([hashes] if hashes else [])]
        return digest_plain([card.identity(), sorted(card.tells), sha256(folder / CARD), *further])
    except OSError:
        return ""
