"""What the methods share that re-rank: which run of the evaluated split, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field

from harness.method import MethodInputs
from harness.models import ModelFiles
from harness.plugins import Settings
from harness.retrieval.search_stages import lexical_search
from harness.stage import Stage
from harness.students.rerank_stages import Rerank
from harness.training.student_settings import RankerSettings

FirstStage = Literal["bm25s", "zero-shot"]


class RerankSettings(Settings):
    """What is re-ranked."""

    first: FirstStage = Field(
        "bm25s", description="whose run is re-ranked: bm25s, or zero-shot, the sweep's student before training"
    )
    shown: int = Field(
        100, ge=1, description="documents a query that are re-ranked; the rest keep their places behind them"
    )


def reranked(inputs: MethodInputs, ranker: ModelFiles | Stage, how: RankerSettings, what: RerankSettings) -> Stage:
    """The run of the first stage with its first documents in the order of `ranker`."""

    return Rerank(
        ranker=ranker,
        architecture=how.architecture,
        first=first_stage(inputs, what.first),
        queries=inputs.collection.queries(inputs.split),
        corpus=inputs.collection.corpus,
        presented=what.shown,
        max_length=how.max_length,
    )


def first_stage(inputs: MethodInputs, name: FirstStage) -> Stage:
    """A run of the evaluated split to re-rank."""
    return _RUNS[name](inputs)


def _lexical(inputs: MethodInputs) -> Stage:

    return lexical_search("bm25s", {}, inputs.collection.corpus, inputs.collection.queries(inputs.split), inputs.depth)


def _dense(inputs: MethodInputs) -> Stage:
    return inputs.search(inputs.retriever, inputs.collection.queries(inputs.split), inputs.depth)


_RUNS: Mapping[FirstStage, Callable[[MethodInputs], Stage]] = {"bm25s": _lexical, "zero-shot": _dense}
