"""The type of student that weighs the terms of a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.retrieval.sparse_search import read_sparse, sparse_search, write_sparse
from harness.retrieval.student_type import StudentType
from harness.students.sparse_student import BLOCK, SparseStudent

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.progress import Progress
    from harness.retrieval.trec_order import Hits


class Splade(StudentType):
    """Weights over the vocabulary of a masked language model, compared by inner product; a document that shares no term
    with a query is not found.

    Takes folders of sentence-transformers' SparseEncoder, and masked language models of transformers (the largest
    log(1 + relu) over a text's tokens then). Nothing keeps weights sparse while they learn: the losses are those of
    other students, without a FLOPS term.
    """

    name = "splade"
    summary = "weights over a vocabulary, learnt (SPLADE)"
    source = "Formal et al., arXiv 2107.05720; arXiv 2109.10086"
    needs = ("masked language model",)

    def load(self, folder: Path) -> SparseStudent:
        return SparseStudent.load(folder)

    def index(self, folder: Path, corpus: Texts, max_length: int, out: Path, progress: Progress) -> None:
        student, total, blocks = self.load(folder), len(corpus), []
        for start in range(0, total, BLOCK):
            stop = min(start + BLOCK, total)
            blocks.append(student.encode(corpus.slice_texts(start, stop), False, max_length))
            progress(stop, total, "texts")
        write_sparse(out, blocks)

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
        if queries:
            weights = self.load(folder).encode(list(queries), True, max_length)
            yield from sparse_search(read_sparse(index), weights, ranks, depth, progress)
