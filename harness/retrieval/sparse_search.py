"""Exact search by weights over a vocabulary: inner products of sparse vectors, as an inverted index adds them up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.retrieval.trec_order import Hits, best

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from harness.progress import Progress

sparse = lazy("scipy.sparse")

FILE = "weights.npz"
_QUERIES = 64


def write_sparse(folder: Path, blocks: Sequence[csr_matrix]) -> None:
    """Writes the weights (N, V) of a corpus, given in blocks of documents."""
    sparse.save_npz(folder / FILE, sparse.vstack(blocks, format="csr"), compressed=False)


def read_sparse(folder: Path) -> csr_matrix:
    """What `write_sparse` wrote."""
    return sparse.load_npz(folder / FILE).tocsr()


def sparse_search(
    corpus: csr_matrix, queries: csr_matrix, ranks: np.ndarray, depth: int, progress: Progress | None = None
) -> Iterator[Hits]:
    """For each of `queries` (Q, V) the first `depth` rows of `corpus` (N, V) that share a term with it, by inner
    product; fewer where fewer do.

    `ranks` (N,) of document ids (`id_ranks`): ties go to the greater id, also at the last place.
    """
    columns = corpus.T.tocsr()
    for start in range(0, queries.shape[0], _QUERIES):
        # Each sum runs over the query's terms in their order, so equal documents have equal scores.
        scores = (queries[start : start + _QUERIES] @ columns).tocsr()
        for number in range(scores.shape[0]):
            rows = slice(scores.indptr[number], scores.indptr[number + 1])
            found = scores.indices[rows].astype(np.int64)
            yield best(found, scores.data[rows].astype(np.float32), ranks[found], depth)
        if progress:
            progress(start + scores.shape[0], queries.shape[0], "queries")
