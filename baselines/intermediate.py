"""Intermediate Distillation (Li et al., arXiv 2406.12169), re-implemented from the abstract and the authors' figure.

Stage 1: the teacher's order pi trains a ranker by ListMLE, -log P(pi | scores). Stage 2: the ranker scores candidate lists and the
retriever is trained by KL(P_ranker || P_retriever) over them; the ranker scores for free, so `distil_queries` may exceed the budget.
The paper's list length, backbones, temperatures, learning rates and epochs could not be read; every value here is our choice.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.settings import LossChoice, RankerSettings, StudentSettings, distilled, ranker_trained
from harness.method import Category, MethodInputs, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage
from harness.training_lists.list_stages import RankedLists


class IntermediateSettings(StudentSettings):
    """Settings of the two stages."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker and how it is trained")
    ranker_loss: LossChoice = Field("listmle", description="loss of stage 1: the teacher's order in")
    retriever_loss: LossChoice = Field("kl", description="loss of stage 2: the ranker's scores in")
    distil_queries: int | None = Field(None, ge=1, description="queries of stage 2; the labelled ones only when left out")


class Intermediate(RetrieverMethod):
    """The teacher's order trains a ranker; the ranker's scores train the retriever."""

    name = "intermediate"
    summary = "the LLM's order trains a ranker (ListMLE), the ranker's scores train the retriever (KL)"
    source = "arXiv 2406.12169"
    needs = ("order",)
    category: ClassVar[Category] = "ours"
    sees = ("order",)
    Settings: ClassVar[type[Settings]] = IntermediateSettings
    settings: IntermediateSettings

    def retriever(self, inputs: MethodInputs) -> Stage:

        settings = self.settings
        lists = RankedLists(labels=inputs.labels(), subset=inputs.subset())
        ranker = ranker_trained(inputs, settings.ranker, lists, settings.ranker_loss)
        return distilled(inputs, ranker, settings.ranker, inputs.subset(settings.distil_queries), settings, settings.retriever_loss)
