"""The control without any LLM: the ranker as it starts (or warmed up without labels) teaches the retriever.

Stage 2 of `intermediate` alone. Beside it with as many queries of stage 2, the same ranker and the same training, the
difference is what the LLM's labels are worth; and what this gains over zero-shot is the ranker's own start. It has no
labels and so no budget: its `distil_queries` must be set to what stage 2 of ours sees there, that is the budget where
ours leaves `distil_queries` out. With more it would be compared with more queries, not without the LLM.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.stage_two import PROJECTION, StageTwoSettings, train_on_ranker
from harness.method import Axis, MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import RankerSettings


class NoLLMSettings(StageTwoSettings):
    """Settings of stage 2, the only one."""

    ranker: RankerSettings = Field(PROJECTION, description="the ranker; it is not trained on labels")
    distil_queries: int = Field(
        1000, ge=1, description="unlabelled queries of stage 2: as many as `intermediate` has there"
    )


class NoLLM(RetrieverMethod):
    """Our pipeline with no LLM label at all."""

    name = "no-llm"
    summary = "our pipeline without any LLM label: the untrained ranker's scores train the retriever"
    category = "control"
    axes: ClassVar[frozenset[Axis]] = frozenset({"resample", "seed"})
    settings: NoLLMSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        ranker = inputs.untrained_ranker(settings.ranker)
        return train_on_ranker(inputs, ranker, settings.distil_queries, settings, settings.ranker)
