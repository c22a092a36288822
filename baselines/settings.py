"""Settings that several methods share, and the stages they turn into, so that equal settings share stages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.losses.spec import LossSpec
from harness.method import Draw, Kit
from harness.models import ModelFiles, resolve_model
from harness.plugins import Settings
from harness.stage import Stage


class StudentSettings(Settings):
    """How the retriever is trained."""

    epochs: int = Field(3, ge=1, description="passes over the training lists")
    lr: float | None = Field(None, gt=0, description="learning rate; left out: 3e-3 for a static student, 2e-5 for a transformer")
    batch: int = Field(8, ge=1, description="lists a step")


class RankerSettings(Settings):
    """The ranker between the teacher and the retriever."""

    kind: Literal["bi-encoder", "cross-encoder"] = Field("bi-encoder", description="how the ranker scores a query with a document")
    start: str | None = Field(None, description="what it starts from: a model name; the sweep's ranker when left out")
    warmup: bool = Field(False, description="train it first without labels: title against body with BM25 negatives")
    epochs: int = Field(2, ge=1, description="passes over the labelled lists")
    lr: float = Field(2e-5, gt=0, description="learning rate")
    batch: int = Field(8, ge=1, description="lists a step")
    frozen_layers: int = Field(0, ge=0, description="lower layers (and the embeddings) that are not trained")
    max_length: int = Field(64, ge=8, description="tokens of a document that the ranker reads")


def ranker_start(kit: Kit, ranker: RankerSettings) -> ModelFiles | Stage:
    """What the ranker is before any LLM label: the model itself, or warmed up."""
    start = resolve_model(ranker.start, kit.base) if ranker.start is not None else kit.ranker
    return warmed_up(kit, ranker, start) if ranker.warmup else start


def warmed_up(kit: Kit, ranker: RankerSettings, start: ModelFiles) -> Stage:
    """The ranker after its warm-up without labels; one stage for all methods, budgets and losses."""
    from harness.collections.pool import training_pool
    from harness.retrieval.stages import lexical_search
    from harness.students.warmup import WarmUpRanker

    titles = training_pool(kit.collection, ("titles",), kit.warmup_queries)
    negatives = lexical_search("bm25s", {}, kit.collection.corpus, titles, kit.list_depth)
    return WarmUpRanker(start=start, pool=titles, candidates=negatives, corpus=kit.collection.corpus, kind=ranker.kind, seed=kit.seed or 0)


def distilled(kit: Kit, ranker: ModelFiles | Stage, settings: StudentSettings, how: RankerSettings, loss: Any, draw: Draw) -> Stage:
    """Stage 2: the ranker scores the candidates of the drawn queries, the retriever learns from the scores."""
    from harness.students.stages import RankerScores

    corpus = kit.collection.corpus
    scores = RankerScores(
        ranker=ranker, kind=how.kind, draw=draw, candidates=kit.candidates, corpus=corpus, depth=kit.list_depth, max_length=how.max_length
    )
    return trained(kit, scores, settings, loss)


def trained(kit: Kit, lists: Stage, settings: StudentSettings, loss: Any) -> Stage:
    """The retriever trained on `lists` with `loss`."""
    from harness.students.stages import TrainRetriever
    from harness.students.train import TrainSettings

    return TrainRetriever(
        start=kit.retriever,
        lists=lists,
        corpus=kit.collection.corpus,
        loss=LossSpec.of(loss),
        train=TrainSettings(epochs=settings.epochs, lr=settings.lr, batch=settings.batch),
        seed=kit.seed or 0,
        max_length=kit.max_length,
    )
