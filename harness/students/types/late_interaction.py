"""The type of student that compares token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from harness.plugins import Settings
from harness.retrieval.maxsim import TokenIndex, maxsim_search
from harness.retrieval.student_type import StudentType
from harness.students.multi_vector import MultiVectorStudent

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.progress import Progress
    from harness.retrieval.trec_order import Hits

_DOCUMENTS = 256
"""How many are encoded at once."""


class LateInteractionSettings(Settings):
    """What an encoder that is no late-interaction model yet is made into; one that is stays as it is."""

    dimensions: int | None = Field(
        default=None,
        ge=1,
        description="an orthogonal projection of token vectors to so many, which learns too; left out: none",
    )


class LateInteraction(StudentType):
    """A vector a token; a document's score is, summed over the query's tokens, the best inner product with one of its
    own tokens (MaxSim).

    Takes folders of sentence-transformers' MultiVectorEncoder (ColBERT, PyLate) as they are. Of any other transformer
    the token vectors are taken, at unit length. Search is exact: it reads all tokens of the corpus, 2 bytes a number.
    """

    name = "late-interaction"
    summary = "a vector a token, compared by MaxSim (ColBERT)"
    source = "Khattab & Zaharia, arXiv 2004.12832"
    needs = ("transformer",)
    settings: LateInteractionSettings

    def load(self, folder: Path) -> MultiVectorStudent:
        return MultiVectorStudent.load(folder, self.settings.dimensions)

    def index(self, folder: Path, corpus: Texts, max_length: int, out: Path, progress: Progress) -> None:
        TokenIndex.write(out, _encoded(self.load(folder), corpus, max_length, progress))

    def search(
        self,
        folder: Path,
        index: Path,
        queries: Sequence[str],
        ranks: np.ndarray,
        max_length: int,
        depth: int,
        progress: Progress,
    ) -> Iterator[Hits]:
        student = self.load(folder)
        vectors = list(student.encode(list(queries), "query", max_length)) if queries else []
        yield from maxsim_search(TokenIndex.read(index), vectors, ranks, depth, student.mean, progress)


def _encoded(student: MultiVectorStudent, corpus: Texts, max_length: int, progress: Progress) -> Iterator[np.ndarray]:
    for start in range(0, len(corpus), _DOCUMENTS):
        texts = corpus.slice_texts(start, min(start + _DOCUMENTS, len(corpus)))
        yield from student.encode(texts, "document", max_length)
        progress(start + len(texts), len(corpus), "texts")
