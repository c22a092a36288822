"""What of a collection is there twice under different ids: equal texts, and ids that look the same to people."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Sequence
from typing import Literal

import numpy as np

from harness.collections.collection import Document
from harness.collections.import_report import Findings
from harness.collections.texts import StoredTexts, id_hashes, joined

_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
OTHER_FORM = "differ in Unicode form only (NFC, NFD)"


class DuplicateTexts:
    """Hashes of texts while they are written; memory holds 16 bytes a text and 16 for an id beyond ASCII."""

    def __init__(self) -> None:
        self._texts, self._bodies = array("Q"), array("Q")
        self._ids, self._rows = array("Q"), array("Q")

    def add(self, batch: Sequence[Document]) -> None:
        """The next rows."""
        start = len(self._texts)
        self._texts.frombytes(id_hashes([joined(row.title, row.text) for row in batch]).tobytes())
        self._bodies.frombytes(id_hashes([body for row in batch if (body := row.text.strip())]).tobytes())
        foreign = [(start + k, row.id) for k, row in enumerate(batch) if not row.id.isascii()]
        self._rows.extend(row for row, _ in foreign)
        self._ids.frombytes(id_hashes([unicodedata.normalize("NFC", name) for _, name in foreign]).tobytes())

    @property
    def counts(self) -> tuple[int, int]:
        """How many texts stand at an earlier place too: with their titles, and, where they are not empty, without."""
        return len(_later(np.frombuffer(self._texts, np.uint64))), len(_later(np.frombuffer(self._bodies, np.uint64)))

    def report(self, texts: StoredTexts, what: str, findings: Findings) -> None:
        """Warn of what is there twice; `texts` are those that were added. Several queries may ask the same."""
        forms = np.frombuffer(self._rows, np.uint64)[_later(np.frombuffer(self._ids, np.uint64))]
        for name in texts.ids_at(forms.astype(np.int64)):
            findings.warn(f"{what} ids that {OTHER_FORM} from another one (kept)", name)
        if what == "document":
            repeated = texts.documents(_later(np.frombuffer(self._texts, np.uint64)))
            for row in repeated:
                if joined(row.title, row.text):
                    findings.warn("documents with the text of another one (kept)", row.id)


def _later(hashes: np.ndarray) -> np.ndarray:
    """Positions (int64), ascending, of hashes that stand at an earlier one too."""
    order = np.argsort(hashes, kind="stable")
    return np.sort(order[1:][np.diff(hashes[order]) == 0]) if len(hashes) > 1 else np.empty(0, np.int64)


def other_forms(name: str) -> list[str]:
    """The other Unicode forms of an id."""
    return [form for form in (unicodedata.normalize(one, name) for one in _FORMS) if form != name]
