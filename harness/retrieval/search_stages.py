"""First stage and search as stages of the graph; runs are artefacts that hold ``run.trec.gz``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from harness.collections.collection import Texts
from harness.collections.own_documents import drops_identical
from harness.collections.pool import read_pool
from harness.device import Resources
from harness.models import ModelFiles, model_memory, model_path
from harness.plugins import plugin
from harness.retrieval.encode import encode, load_encoder
from harness.retrieval.engines import LexicalEngine
from harness.retrieval.run import FILE, Run
from harness.retrieval.search import exact_search
from harness.retrieval.trec_order import Hits, id_ranks
from harness.stage import Context, Stage
from harness.validation import validated

if TYPE_CHECKING:
    from harness.progress import Progress
    from harness.retrieval.encode import Encoder

EMBEDDINGS = "embeddings.npy"


def lexical_search(
    engine: str, settings: Mapping[str, Any], corpus: Texts, queries: Texts | Stage, depth: int
) -> LexicalSearch:
    """Search of `corpus` by the engine of that name. Raises UserError for an unknown engine and for settings it does
    not take."""
    found = plugin(LexicalEngine, engine)
    wanted = validated(
        found.Settings, dict(settings), what=f"the engine '{engine}'", show=f"harness show engines {engine}"
    )
    return LexicalSearch(index=LexicalIndex(engine=found(wanted), corpus=corpus), queries=queries, depth=depth)


@dataclass(frozen=True, eq=False)
class LexicalIndex(Stage):
    """The index of a corpus; what the folder holds is the engine's affair."""

    engine: LexicalEngine
    corpus: Texts
    kind: ClassVar[str] = "lexical-index"

    @property
    def label(self) -> str:
        return self.engine.name

    def run(self, out: Path, context: Context) -> None:
        self.engine.index(self.corpus, out, context.progress)


@dataclass(frozen=True, eq=False)
class LexicalSearch(Stage):
    """A run: for each query the first `depth` documents that share a word with it, without its own where that is left
    out. `queries` may be a pool (collections/pool.py)."""

    index: LexicalIndex
    queries: Texts | Stage
    depth: int
    kind: ClassVar[str] = "lexical-search"

    @property
    def label(self) -> str:
        return self.index.engine.name

    def run(self, out: Path, context: Context) -> None:
        ids, texts = query_texts(self.queries, context)
        drops = drops_identical(self.queries)
        hits = self.index.engine.search(context.path(self.index), texts, self.depth + drops, context.progress)
        run = run_of_hits(self.index.engine.name, ids, hits, self.index.corpus)
        (run.without_identical(self.depth) if drops else run).write(out / FILE)


@dataclass(frozen=True, eq=False)
class Embed(Stage):
    """Embeddings of texts as documents: ``embeddings.npy`` (N, D) float16, rows in the order of `texts`, and
    ``meta.json``."""

    model: ModelFiles | Stage
    texts: Texts
    max_length: int
    """Tokens of a text that are read (fewer where the model's own limit is lower)."""
    kind: ClassVar[str] = "embed"
    version: ClassVar[int] = 2
    computes: ClassVar[bool | None] = True

    @property
    def label(self) -> str:
        return _model_label(self.model)

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self.model, 2), gpu=0.5)

    def run(self, out: Path, context: Context) -> None:
        folder = model_path(self.model, context)
        embed_corpus(folder, self.texts, self.max_length, out, context.progress, context.cache)


@dataclass(frozen=True, eq=False)
class DenseSearch(Stage):
    """A run: for each query the `depth` documents nearest to it, by exact search, without its own where that is left
    out. `queries` may be a pool."""

    model: ModelFiles | Stage
    """Encodes the queries; another than that of `corpus` where only the query side was trained."""
    corpus: Embed
    queries: Texts | Stage
    ids: Texts
    """Whose ids the rows of `corpus` have."""
    depth: int
    kind: ClassVar[str] = "dense-search"
    version: ClassVar[int] = 2
    computes: ClassVar[bool | None] = True

    @property
    def label(self) -> str:
        return _model_label(self.model)

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self.model, 2), gpu=0.5)

    def run(self, out: Path, context: Context) -> None:
        ids, texts = query_texts(self.queries, context)
        encoder = load_encoder(model_path(self.model, context), self.corpus.max_length)
        ranks = id_ranks(self.ids.ids)
        drops = drops_identical(self.queries)
        hits = nearest_documents(encoder, context.path(self.corpus), texts, ranks, self.depth + drops, context.progress)
        run = run_of_hits("dense", ids, hits, self.ids)
        (run.without_identical(self.depth) if drops else run).write(out / FILE)


def embed_corpus(
    folder: Path, texts: Texts, max_length: int, out: Path, progress: Progress, cache: Path | None = None
) -> None:
    """Writes what `Embed` makes of `texts` with the encoder in `folder`; scratch goes to `cache`."""
    encoder = load_encoder(folder, max_length)
    rows = encode(encoder, texts, "document", out / EMBEDDINGS, progress, cache)
    (out / "meta.json").write_text(json.dumps(_meta(encoder, rows), indent=1) + "\n", encoding="utf-8")


def nearest_documents(
    encoder: Encoder, corpus: Path, queries: Sequence[str], ranks: np.ndarray, depth: int, progress: Progress
) -> Iterator[Hits]:
    """For each of `queries` the first `depth` of the embeddings that `embed_corpus` wrote into the folder `corpus`."""
    vectors = encode(encoder, queries, "query")
    # Copy on write: torch takes no read-only memory.
    documents = np.load(corpus / EMBEDDINGS, mmap_mode="c")
    return exact_search(documents, vectors, ranks, depth, encoder.similarity, progress)


@dataclass(frozen=True, eq=False)
class Interleave(Stage):
    """One run out of several: their first documents in turn, then their second ones, and so on, without repetition.
    Scores are 1/rank."""

    runs: tuple[Stage, ...]
    depth: int
    kind: ClassVar[str] = "interleave"

    @property
    def label(self) -> str:
        return " + ".join(run.label for run in self.runs)

    def run(self, out: Path, context: Context) -> None:
        runs = [Run.read(context.path(run) / FILE) for run in self.runs]
        queries = dict.fromkeys(chain.from_iterable(run.scores for run in runs))
        mixed = {query: _interleaved([run.top(query) for run in runs], self.depth) for query in queries}
        Run("+".join(run.name for run in runs), mixed).write(out / FILE)


def _interleaved(lists: Iterable[Sequence[str]], depth: int) -> dict[str, float]:
    turns = chain.from_iterable(zip_longest(*lists))
    documents = [document for document in dict.fromkeys(turns) if document is not None]
    return {document: 1 / rank for rank, document in enumerate(documents[:depth], 1)}


def query_texts(queries: Texts | Stage, context: Context) -> tuple[list[str], list[str]]:
    """Ids and texts of queries given, or of a pool that a stage made."""
    if isinstance(queries, Stage):
        pool = read_pool(context.path(queries))
        return [query.id for query in pool], [query.text for query in pool]
    return list(queries.ids), queries.slice_texts(0, len(queries))


def run_of_hits(name: str, queries: Iterable[str], hits: Iterator[Hits], corpus: Texts) -> Run:
    """The run `name` of what was found for each of `queries` (ids) in `corpus`."""
    found = list(hits)
    rows = np.unique(np.concatenate([np.empty(0, np.int64), *(hit.rows for hit in found)]))
    ids = _ids_at(corpus, rows)
    return Run(
        name,
        {
            query: {
                ids[at]: score
                for at, score in zip(np.searchsorted(rows, hit.rows).tolist(), hit.scores.tolist(), strict=True)
            }
            for query, hit in zip(queries, found, strict=True)
        },
    )


def _ids_at(corpus: Texts, rows: np.ndarray) -> list[str]:
    """The ids at ascending `rows`, in one pass over all ids."""
    wanted = iter(rows.tolist())
    sought, ids = next(wanted, None), []
    for row, name in enumerate(corpus.ids):
        if row == sought:
            ids.append(name)
            sought = next(wanted, None)
    return ids


def _model_label(model: ModelFiles | Stage) -> str:
    return model.name if isinstance(model, ModelFiles) else model.label


def _meta(encoder: Encoder, rows: np.ndarray) -> dict[str, Any]:
    return {
        "rows": rows.shape[0],
        "dimensions": rows.shape[1],
        "max_length": encoder.max_length,
        "precision": encoder.precision,
        "device": encoder.model.device.type,
        "similarity": encoder.similarity,
    }
