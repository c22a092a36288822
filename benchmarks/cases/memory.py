"""A million vectors: written to disk in a stream, then searched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, overload

from benchmarks.case import Case, Goal, Timed, below
from benchmarks.material import MINILM, model_folder
from benchmarks.timing import timed

DEPTH, QUERIES, LIMIT_MB = 100, 1_000, 2_500


class Memory(Case):
    """Static embeddings of made-up texts, as many dimensions as MiniLM has, encoded into a memory-mapped file and
    searched."""

    name: ClassVar[str] = "memory"
    rounds: ClassVar[tuple[int, int]] = (1, 1)

    @property
    def documents(self) -> int:
        """How many texts there are."""
        return 100_000 if self.quick else 1_000_000

    def work(self) -> str:
        return f"{self.documents:,} texts encoded to disk (384 dimensions), {QUERIES:,} queries, top {DEPTH}"

    def prepare(self) -> None:
        import numpy as np
        from transformers import AutoTokenizer

        from harness.students.static_encoder import save_static

        encoder = Path(model_folder(MINILM))
        size = len(AutoTokenizer.from_pretrained(str(encoder), local_files_only=True))
        vectors = np.random.default_rng(0).standard_normal((size, 384), dtype=np.float32)
        save_static(encoder, vectors, self.folder / "model")

    def ours(self) -> Timed:
        import numpy as np

        from harness.retrieval.encode import encode, load_encoder
        from harness.retrieval.search import exact_search
        from harness.retrieval.trec_order import id_ranks

        encoder = load_encoder(self.folder / "model", 64)
        out = self.folder / "embeddings.npy"
        out.unlink(missing_ok=True)
        encoding, _ = timed(lambda: len(encode(encoder, MadeUp(self.documents), "document", out)))
        queries = encode(encoder, [f"query {number}" for number in range(QUERIES)], "query")
        ranks = id_ranks(f"d{number}" for number in range(self.documents))
        vectors = np.load(out, mmap_mode="c")
        searching, hits = timed(
            lambda: sum(len(found.rows) for found in exact_search(vectors, queries, ranks, DEPTH, "cosine"))
        )
        assert hits == QUERIES * DEPTH
        return Timed(encoding + searching, note=f"encoding {encoding:.1f} s, search {searching:.1f} s")

    def limits(self) -> tuple[Goal, ...]:
        return (below(LIMIT_MB),)


class MadeUp(Sequence[str]):
    """Short texts that exist only while they are read."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(self._size))]
        if not 0 <= place < self._size:
            raise IndexError(place)
        return f"document number {place} about {place * 7919 % 10_007} and {place * 104_729 % 9_973}"
