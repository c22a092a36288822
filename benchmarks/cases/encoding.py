"""Encoding of a corpus."""

from __future__ import annotations

from typing import ClassVar

from benchmarks.case import Case, Peer, Timed, faster
from benchmarks.material import MINILM, model_folder, ndcg, read_texts, write_texts
from benchmarks.timing import timed


class Encoding(Case):
    """Our encoder against SentenceTransformer.encode as it comes, on scifact where it is there."""

    name: ClassVar[str] = "encoding"
    quality: ClassVar[str] = "nDCG@10"
    rounds: ClassVar[tuple[int, int]] = (1, 1)

    def prepare(self) -> None:
        write_texts(self.folder, 200 if self.quick else None)

    def work(self) -> str:
        size = "200 documents" if self.quick else "all documents"
        return f"{size} of scifact (of the bundled collection where it is absent), all-MiniLM-L6-v2"

    def ours(self) -> Timed:
        from pathlib import Path

        from harness.retrieval.encode import encode, load_encoder

        texts = read_texts(self.folder)
        encoder = load_encoder(Path(model_folder(MINILM)), 256)
        encode(encoder, ["warm up"])
        seconds, vectors = timed(
            lambda: encode(encoder, list(texts.documents.values()), "document", self.folder / "embeddings.npy")
        )
        quality = ndcg(texts, vectors, encode(encoder, list(texts.queries.values()), "query"))
        return Timed(seconds, quality, f"ours {len(vectors) / seconds:.0f} documents/s")

    def peers(self) -> tuple[Peer, ...]:
        return (Peer("SentenceTransformer.encode", self._sentence_transformers, faster(2.5, quality=0.995)),)

    def _sentence_transformers(self) -> Timed:
        from sentence_transformers import SentenceTransformer

        texts = read_texts(self.folder)
        model = SentenceTransformer(model_folder(MINILM), device="cpu")
        model.encode(["warm up"])
        seconds, vectors = timed(lambda: model.encode(list(texts.documents.values())))
        quality = ndcg(texts, vectors, model.encode(list(texts.queries.values())))
        return Timed(seconds, quality, f"peer {len(vectors) / seconds:.0f} documents/s")
