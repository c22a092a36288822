"""Intermediate Distillation (Li et al., arXiv 2406.12169), re-implemented from the abstract and the authors' figure.

Stage 1: the teacher's order pi trains a ranker by ListMLE, -log P(pi | scores). Stage 2: the ranker scores candidate
lists and the retriever is trained by KL(P_ranker || P_retriever) over them; the ranker scores for free, so
`distil_queries` may exceed the budget. The paper's list length, backbones, temperatures, learning rates and epochs
could not be read; every value here is our choice.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.stage_two import PROJECTION, StageTwoSettings, train_on_ranker
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import RankerSettings


class IntermediateSettings(StageTwoSettings):
    """Settings of the two stages."""

    ranker: RankerSettings = Field(PROJECTION, description="the ranker and how it is trained")
    ranker_loss: LossChoice = Field("listmle", description="loss of stage 1: the teacher's order in")
    distil_queries: int | None = Field(
        None, ge=1, description="queries of stage 2; the labelled ones only when left out"
    )


class Intermediate(RetrieverMethod):
    """The teacher's order trains a ranker; the ranker's scores train the retriever."""

    name = "intermediate"
    summary = "the LLM's order trains a ranker (ListMLE), the ranker's scores train the retriever (KL)"
    source = "arXiv 2406.12169"
    needs = ("order",)
    category = "ours"
    settings: IntermediateSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        ranker = inputs.train_ranker(inputs.teacher_lists(), settings.ranker_loss, settings.ranker)
        return train_on_ranker(inputs, ranker, settings.distil_queries, settings)
