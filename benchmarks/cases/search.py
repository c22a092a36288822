"""Exact search of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.case import Case, Peer, Timed, faster
from benchmarks.timing import fastest

if TYPE_CHECKING:
    import numpy as np
    import torch

DEPTH, DIMENSIONS = 100, 384


class Search(Case):
    """Blocks of a matrix product against faiss and against BEIR's chunks with heaps."""

    name: ClassVar[str] = "search"
    quality: ClassVar[str] = "mean score of the hits"
    rounds: ClassVar[tuple[int, int]] = (2, 5)

    @property
    def sizes(self) -> tuple[int, int]:
        """Documents and queries."""
        return (50_000, 256) if self.quick else (200_000, 512)

    def work(self) -> str:
        documents, queries = self.sizes
        return f"{documents:,} x {DIMENSIONS}, {queries} queries, top {DEPTH}"

    def _vectors(self) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        draw = np.random.default_rng(0)
        corpus, queries = (draw.standard_normal((size, DIMENSIONS), dtype=np.float32) for size in self.sizes)
        return corpus, queries

    def ours(self) -> Timed:
        from harness.retrieval.search import exact_search
        from harness.retrieval.trec_order import id_ranks

        corpus, queries = self._vectors()
        ranks = id_ranks([f"d{number}" for number in range(len(corpus))])
        seconds, found = fastest(lambda: list(exact_search(corpus, queries, ranks, DEPTH)))
        return Timed(seconds, float(sum(hits.scores.astype(float).sum() for hits in found)) / (len(queries) * DEPTH))

    def peers(self) -> tuple[Peer, ...]:
        return (
            Peer("faiss IndexFlatIP", self._faiss, faster(1.0)),
            Peer("BEIR DenseRetrievalExactSearch", self._beir, rounds=2),
        )

    def _faiss(self) -> Timed:
        import faiss

        corpus, queries = self._vectors()
        index = faiss.IndexFlatIP(DIMENSIONS)
        index.add(corpus)
        seconds, found = fastest(lambda: index.search(queries, DEPTH))
        return Timed(seconds, float(found[0].mean(dtype=float)))

    def _beir(self) -> Timed:
        from beir.retrieval.search.dense import DenseRetrievalExactSearch

        vectors, queries = self._vectors()
        corpus = {f"d{number}": {"text": "", "row": number} for number in range(len(vectors))}
        texts = {f"q{number}": "" for number in range(len(queries))}
        seconds, found = fastest(
            lambda: DenseRetrievalExactSearch(Ready(vectors, queries), show_progress_bar=False).search(
                corpus, texts, DEPTH, "dot"
            ),
            2,
        )
        scores = [score for hits in found.values() for score in hits.values()]
        return Timed(seconds, sum(scores) / len(scores))


class Ready:
    """A model as BEIR wants one, whose embeddings are there already."""

    def __init__(self, corpus: np.ndarray, queries: np.ndarray) -> None:
        self._corpus, self._queries = corpus, queries

    def encode_queries(self, texts: list[str], **options: Any) -> torch.Tensor:
        """All queries."""
        import torch

        return torch.from_numpy(self._queries)

    def encode_corpus(self, documents: list[dict[str, Any]], **options: Any) -> torch.Tensor:
        """A run of documents; BEIR's sort keeps the order of texts of one length."""
        import torch

        first = documents[0]["row"]
        return torch.from_numpy(self._corpus[first : first + len(documents)])
