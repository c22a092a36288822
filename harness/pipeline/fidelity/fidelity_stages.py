"""How far a model follows what taught it, on lists that it learnt and on held-out ones.

Fidelity is the word of Stanton et al. (Does knowledge distillation really work?, NeurIPS 2021) for the agreement of a
student with its teacher, which says nothing of how good either is. Each artefact holds ``fidelity.json``: ``own`` and
``held_out``, each ``{"lists", "ndcg", "chance", "tau", "sources"}`` or null, and the ``reason`` why the latter is.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from harness.collections.collection import Texts
from harness.collections.pool import read_pool
from harness.evaluation.list_agreement import ListScores, list_agreement
from harness.models import ModelFiles, model_path
from harness.pipeline.fidelity.held_out_lists import MOST, ranker_scores, read_held_out
from harness.retrieval.encode import encode, load_encoder
from harness.retrieval.search_stages import EMBEDDINGS, Embed
from harness.stage import Context, Stage
from harness.students.architecture import Architecture
from harness.training_lists.training_list import TrainingList, read_lists

FILE = "fidelity.json"
Target = Literal["order", "scores"]
"""What of a list was learnt: the order of a teacher, or the scores of a ranker."""
Scores = Sequence[Sequence[float]]


class FidelityStage(Stage):
    """Agreement of a model with the lists that taught it. Subclasses declare the fields, in the order of their
    inputs."""

    computes: ClassVar[bool | None] = True

    lists: Stage
    held_out: Stage | None
    target: Target
    pool: Stage | None
    """Where the lists' queries come from; None where that is no pool."""
    reason: str
    """Why there are no held-out lists, where `held_out` is None."""

    @abstractmethod
    def scores(self, lists: Sequence[TrainingList], context: Context) -> Scores:
        """What the model scores the documents of each list."""

    def run(self, out: Path, context: Context) -> None:
        own = sampled(read_lists(context.path(self.lists)))
        held_out, reason = ([], self.reason) if self.held_out is None else read_held_out(context.path(self.held_out))
        scores = self.scores([*own, *held_out], context)
        pool = [] if self.pool is None else read_pool(context.path(self.pool))
        sources = {query.id: query.source for query in pool}
        found = {
            "own": _agreement(own, scores[: len(own)], self.target, sources),
            "held_out": _agreement(held_out, scores[len(own) :], self.target, sources),
        }
        if not reason and found["held_out"] is None:
            reason = "no held-out list tells its documents apart"
        (out / FILE).write_text(json.dumps({**found, "reason": reason}, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, eq=False, kw_only=True)
class RankerFidelity(FidelityStage):
    """Of a ranker with the teacher's orders that trained it."""

    kind: ClassVar[str] = "ranker-fidelity"

    ranker: ModelFiles | Stage
    architecture: Architecture
    max_length: int
    corpus: Texts
    lists: Stage
    held_out: Stage | None
    pool: Stage | None
    target: Target = "order"
    reason: str = ""
    embeddings: Embed | None = None
    """Those of the encoder under a projection ranker."""

    @property
    def label(self) -> str:
        return self.lists.label

    def scores(self, lists: Sequence[TrainingList], context: Context) -> Scores:
        return ranker_scores(self, lists, context)


@dataclass(frozen=True, eq=False, kw_only=True)
class RetrieverFidelity(FidelityStage):
    """Of a retriever with the scores, or the orders, that trained it; documents have the embeddings that are
    searched."""

    kind: ClassVar[str] = "retriever-fidelity"

    model: ModelFiles | Stage
    corpus: Embed
    ids: Texts
    lists: Stage
    held_out: Stage | None
    pool: Stage | None
    target: Target
    reason: str = ""

    @property
    def label(self) -> str:
        return self.lists.label

    def scores(self, lists: Sequence[TrainingList], context: Context) -> Scores:
        encoder = load_encoder(model_path(self.model, context), self.corpus.max_length)
        texts = list(dict.fromkeys(one.text for one in lists))
        queries = dict(zip(texts, encode(encoder, texts, "query", progress=context.progress), strict=True))
        documents = list(dict.fromkeys(chain.from_iterable(one.documents for one in lists)))
        embeddings = np.load(context.path(self.corpus) / EMBEDDINGS, mmap_mode="r")
        vectors = embeddings[self.ids.rows(documents)].astype(np.float32)
        if encoder.similarity == "cosine":
            # The length of the query changes no order; a document of zeros has the cosine 0.
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        row = {document: number for number, document in enumerate(documents)}
        return [(vectors[[row[document] for document in one.documents]] @ queries[one.text]).tolist() for one in lists]


def sampled(lists: Sequence[TrainingList]) -> list[TrainingList]:
    """At most `MOST` of the lists, by the hash of their queries: larger budgets share what they share."""
    return sorted(lists, key=lambda one: hashlib.sha256(one.query.encode()).digest())[:MOST]


def _agreement(
    lists: Sequence[TrainingList], scores: Scores, target: Target, sources: dict[str, str]
) -> dict[str, Any] | None:
    compared = [ListScores(one.documents, _target(one, target), row) for one, row in zip(lists, scores, strict=True)]
    found = list_agreement(compared)
    if found is None:
        return None
    counts = Counter(sources[one.query] for one in lists if one.query in sources)
    return {**found._asdict(), "sources": dict(counts)}


def _target(one: TrainingList, target: Target) -> Sequence[float]:
    if target == "scores":
        assert one.scores is not None, "a ranker's lists carry its scores"
        return one.scores
    size = len(one.documents)
    return [float(size - place) if place < one.ordered else 0.0 for place in range(size)]
