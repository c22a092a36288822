"""Inputs of a stage under test: artefacts that are put there, and a corpus in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from harness.stage import Context, Stage


@dataclass(frozen=True, eq=False)
class Given(Stage):
    """An artefact that is there already."""

    kind: ClassVar[str] = "given"
    name: str

    def run(self, out: Path, context: Context) -> None:
        raise AssertionError("it is there")


class Corpus:
    """Texts by id."""

    identity = "corpus"

    def __init__(self, documents: Mapping[str, str]) -> None:
        self.ids: Sequence[str] = tuple(documents)
        self._documents = documents

    def __len__(self) -> int:
        return len(self.ids)

    def texts(self, ids: Sequence[str]) -> list[str]:
        return [self._documents[id] for id in ids]

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        return np.array([self.ids.index(id) for id in ids])

    def slice_texts(self, start: int, stop: int) -> list[str]:
        return self.texts(self.ids[start:stop])
