"""The control without any LLM: the ranker as it starts (or warmed up without labels) teaches the retriever.

Stage 2 of `intermediate` alone. Beside it with as many queries of stage 2, the same ranker and the same training, the difference is what
the LLM's labels are worth; and what this gains over zero-shot is the ranker's own start. It has no labels and so no budget: its
`distil_queries` must be set to what stage 2 of ours sees there, that is the budget where ours leaves `distil_queries` out. With more it
would be compared with more queries, not without the LLM.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.settings import LossChoice, RankerSettings, StudentSettings, distilled, ranker_start
from harness.method import Axis, Category, MethodInputs, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage


class NoLLMSettings(StudentSettings):
    """Settings of stage 2, the only one."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker; it is not trained on labels")
    retriever_loss: LossChoice = Field("kl", description="the ranker's scores in")
    distil_queries: int = Field(1000, ge=1, description="unlabelled queries of stage 2: as many as `intermediate` has there")


class NoLLM(RetrieverMethod):
    """Our pipeline with no LLM label at all."""

    name = "no-llm"
    summary = "our pipeline without any LLM label: the untrained ranker's scores train the retriever"
    category: ClassVar[Category] = "control"
    sees = ("nothing",)
    axes: ClassVar[frozenset[Axis]] = frozenset({"resample", "seed"})
    Settings: ClassVar[type[Settings]] = NoLLMSettings
    settings: NoLLMSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        ranker = ranker_start(inputs, settings.ranker)
        return distilled(inputs, ranker, settings.ranker, inputs.subset(settings.distil_queries), settings, settings.retriever_loss)
