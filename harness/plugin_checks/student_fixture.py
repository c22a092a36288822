"""Twelve documents and four lists on which types of students are checked, and the small model that they start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.models import ModelFiles, resolve_model
from harness.plugin_checks.tiny_models import tiny_masked
from harness.retrieval.student_type import StudentType
from harness.training_lists.training_list import TrainingList

_SUBJECTS = (
    ("apple pie recipe", "bake the fruit with cinnamon and butter in a crust until it is golden"),
    ("solar panel on a roof", "cells turn sunlight into electric power for the house below them"),
    ("chess opening theory", "the queen gambit controls the centre of the board with two pawns"),
    ("marathon training plan", "long runs every week build endurance for a race of 42 kilometres"),
)
TWINS = ("d01", "d10")
"""Ids of two documents with one text."""
QUERIES = tuple(query for query, _ in _SUBJECTS)


@dataclass(frozen=True)
class FixtureCorpus:
    """Three documents a subject: its text, a longer form of it, and its words in capitals; one document stands there
    twice, and one is empty."""

    identity: str = "students"

    @property
    def ids(self) -> Sequence[str]:
        return [f"d{number:02}" for number in range(len(self))]

    def __len__(self) -> int:
        return len(self._texts())

    def texts(self, ids: Sequence[str]) -> list[str]:
        """Texts of `ids`, in that order."""
        texts = self._texts()
        return [texts[row] for row in self.rows(ids)]

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """int64 positions of `ids`."""
        return np.array([int(one[1:]) for one in ids], dtype=np.int64)

    def slice_texts(self, start: int, stop: int) -> list[str]:
        """Texts of the positions start to stop."""
        return self._texts()[start:stop]

    @staticmethod
    def _texts() -> list[str]:
        first = [body for _, body in _SUBJECTS]
        longer = [f"{query}: {body} and so on, as everybody knows" for query, body in _SUBJECTS]
        return [*first, *longer, "", "Größe 検索 🙂", first[1], query_words()]


def query_words() -> str:
    """A document with the words of all queries."""
    return " ".join(QUERIES).upper()


def fixture_lists(scores: bool) -> tuple[TrainingList, ...]:
    """A list a subject: its own two documents before those of two others, ordered or with scores."""
    lists = []
    for number, query in enumerate(QUERIES):
        others = [(number + step) % len(QUERIES) for step in (1, 2)]
        documents = tuple(f"d{row:02}" for row in (number, number + 4, *others, others[0] + 4))
        values = (4.0, 3.0, 1.0, 0.5, 0.0) if scores else None
        lists.append(TrainingList(f"q{number}", query, documents, 4, values))
    return tuple(lists)


def fixture_model(kind: type[StudentType], home: Path) -> ModelFiles:
    """The model that a type is checked with: its `example`, or a masked language model where it needs one."""
    if "masked language model" in kind.needs:
        return ModelFiles("tiny-masked", tiny_masked(home / "masked", 0))
    return resolve_model(kind.example)
