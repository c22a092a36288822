"""Exact search by late interaction: the sum over a query's tokens of the best inner product with a document's tokens
(MaxSim; Khattab & Zaharia, ColBERT, arXiv 2004.12832, equation 3).

A corpus lies on disk as the vectors of all its tokens, document after document. Blocks of documents are scored by the
`maxsim` of sentence-transformers, which gives a shortlist; every document of it is scored anew by itself, so that equal
documents have equal scores wherever they stand, and ties fall to their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.retrieval.trec_order import Hits, best

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.progress import Progress
else:
    torch = lazy("torch")

st_similarity = lazy("sentence_transformers.util.similarity")

VECTORS, OFFSETS = "tokens.f16", "offsets.npy"
_QUERIES = 64
_TOKENS = 32_768
"""Tokens of documents whose scores are held at once."""
_MARGIN = 2.0**-16
"""How far two sums of the same products may be apart, as a share of their sizes; float32 has 2^-24 a step."""
_LOWEST = -1e9
"""The score of a document without tokens, below all others, as in sentence-transformers."""


@dataclass(frozen=True)
class TokenIndex:
    """The vectors (T, d) float16 of all tokens of N documents, memory-mapped, and where each begins (N + 1,) int64."""

    vectors: np.ndarray
    offsets: np.ndarray

    @classmethod
    def write(cls, folder: Path, documents: Iterator[np.ndarray]) -> None:
        """Writes the index of `documents`, each (t, d), in their order."""
        offsets, width = [0], 0
        with (folder / VECTORS).open("wb") as file:
            for tokens in documents:
                file.write(np.ascontiguousarray(tokens, dtype=np.float16).tobytes())
                offsets.append(offsets[-1] + len(tokens))
                width = tokens.shape[1]
        np.save(folder / OFFSETS, np.array([width, *offsets], dtype=np.int64))

    @classmethod
    def read(cls, folder: Path) -> TokenIndex:
        """What `write` wrote."""
        width, *offsets = np.load(folder / OFFSETS).tolist()
        shape = (offsets[-1], width)
        # Copy on write: torch takes no read-only memory.
        vectors = (
            np.memmap(folder / VECTORS, dtype=np.float16, mode="c", shape=shape)
            if offsets[-1]
            else np.zeros(shape, np.float16)
        )
        return cls(vectors, np.array(offsets, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def document(self, row: int) -> Tensor:
        """(t, d) float32 on the device."""
        tokens = np.asarray(self.vectors[self.offsets[row] : self.offsets[row + 1]])
        return torch.from_numpy(tokens).to(device()).float()

    def blocks(self) -> Iterator[range]:
        """Rows of documents, ascending, with as many tokens as are held at once; one document at least."""
        start = 0
        while start < len(self):
            stop = int(np.searchsorted(self.offsets, self.offsets[start] + _TOKENS, side="right")) - 1
            stop = min(max(stop, start + 1), len(self))
            yield range(start, stop)
            start = stop


def maxsim_search(
    index: TokenIndex,
    queries: Sequence[np.ndarray],
    ranks: np.ndarray,
    depth: int,
    mean: bool = False,
    progress: Progress | None = None,
) -> Iterator[Hits]:
    """For each of `queries`, (t, d) float32 each, the first `depth` documents by MaxSim, best first; with `mean`
    divided by the query's number of tokens.

    `ranks` (N,) of document ids (`id_ranks`): ties go to the greater id, also at the last place. A document without
    tokens comes after all others.
    """
    for start in range(0, len(queries), _QUERIES):
        block = [torch.from_numpy(query).to(device(), torch.float32) for query in queries[start : start + _QUERIES]]
        for query, rows in zip(block, _shortlists(index, block, depth), strict=True):
            scores = np.array([_score(query, index.document(row)) for row in rows.tolist()], dtype=np.float32)
            if mean:
                scores /= np.float32(max(len(query), 1))
            yield best(rows, scores, ranks[rows], depth)
        if progress:
            progress(start + len(block), len(queries), "queries")


def _score(query: Tensor, document: Tensor) -> float:
    """MaxSim of one query (q, d) with one document (t, d)."""
    return float((query @ document.T).amax(1).sum()) if len(document) else _LOWEST


def _shortlists(index: TokenIndex, queries: list[Tensor], depth: int) -> list[np.ndarray]:
    """Rows of all documents that may be among the first `depth` of each query, ascending."""
    lengths = np.array([float(query.norm(dim=1).sum()) for query in queries], dtype=np.float32)
    rows = [np.zeros(0, dtype=np.int64) for _ in queries]
    scores = [np.zeros(0, dtype=np.float32) for _ in queries]
    longest = 0.0
    for block in index.blocks():
        documents = [index.document(row) for row in block]
        longest = max([longest, *(float(one.norm(dim=1).max()) for one in documents if len(one))])
        found = st_similarity.maxsim(queries, documents).cpu().numpy()
        for number, row in enumerate(found):
            merged = np.concatenate([scores[number], row])
            # Rounding may move a score by the margin, and the one that it is held against, too.
            margin = 2 * _MARGIN * lengths[number] * longest
            floor = np.partition(merged, -depth)[-depth] - margin if len(merged) > depth else -np.inf
            places = np.flatnonzero(merged >= floor)
            rows[number] = np.concatenate([rows[number], np.array(block, dtype=np.int64)])[places]
            scores[number] = merged[places]
    return rows
