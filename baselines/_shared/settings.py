"""Settings that several methods share, and the stages they turn into, so that equal settings share stages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.collections.pool import training_pool
from harness.collections.sample import QuerySubset
from harness.losses.spec import LossSpec
from harness.method import MethodInputs
from harness.models import ModelFiles, resolve_model
from harness.plugins import Settings
from harness.retrieval.search_stages import lexical_search
from harness.stage import Stage
from harness.students.lora import LoRA
from harness.students.ranker_scored_lists import CandidateScores, ScoredLists
from harness.training.early_stopping import EarlyStopping
from harness.training.ranker_warmup import WarmUpRanker
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRanker, TrainRetriever
from harness.training_lists.list_stages import GoldLists

LossChoice = str | dict[str, Any]


class StudentSettings(Settings):
    """How the retriever is trained."""

    epochs: int = Field(3, ge=1, description="passes over the training lists")
    learning_rate: float | None = Field(
        None, gt=0, description="peak; left out: 3e-3 for a static student, 2e-5 for a transformer, 2e-4 for one with LoRA"
    )
    batch: int = Field(16, ge=1, description="lists a step")
    lora: LoRA | None = Field(None, description="train low-rank adapters, merged in the end; left out: all weights")
    stop: EarlyStopping | None = Field(None, description="end early, with the weights that held-out queries like best; left out: never")
    frozen_documents: bool = Field(
        False, description="only the query encoder learns; documents keep the start model's embeddings, and no corpus is encoded again"
    )


class RankerSettings(Settings):
    """The ranker between the teacher and the retriever."""

    architecture: Literal["bi-encoder", "cross-encoder"] = Field("bi-encoder", description="how a query is scored with a document")
    start: str | None = Field(None, description="the model it starts from; the sweep's ranker when left out")
    warmup_queries: int = Field(0, ge=0, description="train it first without labels on this many titles against bodies; 0: not at all")
    epochs: int = Field(2, ge=1, description="passes over the labelled lists")
    learning_rate: float | None = Field(None, gt=0, description="peak; left out: 2e-5, or 2e-4 with LoRA")
    batch: int = Field(16, ge=1, description="lists a step")
    frozen_layers: int = Field(0, ge=0, description="above 0, the embeddings and this many lower layers stay as they are")
    lora: LoRA | None = Field(None, description="train low-rank adapters, merged in the end; left out: all weights")
    stop: EarlyStopping | None = Field(None, description="end early, with the weights that held-out queries like best; left out: never")
    max_length: int = Field(64, ge=8, description="tokens that the ranker reads")


def ranker_start(inputs: MethodInputs, how: RankerSettings) -> ModelFiles | Stage:
    """What the ranker is before any LLM label: the model itself, or warmed up."""
    start = resolve_model(how.start, inputs.base) if how.start is not None else inputs.ranker
    return warmed_up(inputs, how, start) if how.warmup_queries else start


def warmed_up(inputs: MethodInputs, how: RankerSettings, start: ModelFiles) -> Stage:
    """The ranker after its warm-up without labels; one stage for all methods, budgets, resamples and losses."""

    corpus = inputs.collection.corpus
    titles = training_pool(inputs.collection, ("titles",), how.warmup_queries)
    negatives = lexical_search("bm25s", {}, corpus, titles, inputs.list_depth)
    lists = GoldLists(subset=QuerySubset(titles, 0, how.warmup_queries), candidates=negatives, depth=inputs.list_depth, most_positives=1)
    train = TrainSettings(epochs=1, learning_rate=how.learning_rate, batch=how.batch, frozen_layers=how.frozen_layers, lora=how.lora)
    return WarmUpRanker(
        start=start,
        architecture=how.architecture,
        lists=lists,
        corpus=corpus,
        train=train,
        seed=inputs.seed or 0,
        max_length=how.max_length,
    )


def ranker_trained(inputs: MethodInputs, how: RankerSettings, lists: Stage, loss: LossChoice) -> Stage:
    """Stage 1: the ranker learns an order."""

    train = TrainSettings(
        epochs=how.epochs,
        learning_rate=how.learning_rate,
        batch=how.batch,
        frozen_layers=how.frozen_layers,
        lora=how.lora,
        stop=how.stop,
    )
    return TrainRanker(
        start=ranker_start(inputs, how),
        architecture=how.architecture,
        lists=lists,
        corpus=inputs.collection.corpus,
        loss=LossSpec.of(loss),
        train=train,
        seed=inputs.seed or 0,
        max_length=how.max_length,
    )


def ranker_scored(inputs: MethodInputs, lists: Stage, how: RankerSettings) -> Stage:
    """`lists` with the scores of a ranker that has seen no label."""

    return ScoredLists(
        lists=lists,
        ranker=ranker_start(inputs, how),
        architecture=how.architecture,
        corpus=inputs.collection.corpus,
        max_length=how.max_length,
    )


def distilled(
    inputs: MethodInputs, ranker: ModelFiles | Stage, how: RankerSettings, draw: QuerySubset, student: StudentSettings, loss: LossChoice
) -> Stage:
    """Stage 2: the ranker scores the candidates of the drawn queries, the retriever learns from the scores."""

    scores = CandidateScores(
        ranker=ranker,
        architecture=how.architecture,
        subset=draw,
        candidates=inputs.candidates,
        corpus=inputs.collection.corpus,
        depth=inputs.list_depth,
        max_length=how.max_length,
    )
    return retriever_trained(inputs, scores, student, loss)


def retriever_trained(inputs: MethodInputs, lists: Stage, student: StudentSettings, loss: LossChoice) -> Stage:
    """The retriever trained on `lists`."""

    return TrainRetriever(
        start=inputs.retriever,
        lists=lists,
        corpus=inputs.collection.corpus,
        loss=LossSpec.of(loss),
        train=TrainSettings(
            epochs=student.epochs, learning_rate=student.learning_rate, batch=student.batch, lora=student.lora, stop=student.stop
        ),
        seed=inputs.seed or 0,
        max_length=inputs.max_length,
        frozen_documents=student.frozen_documents,
    )
