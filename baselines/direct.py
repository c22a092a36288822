"""Direct distillation: the teacher's order trains the retriever itself, without a ranker between. The arm that shows what a ranker adds."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.settings import LossChoice, StudentSettings, retriever_trained
from harness.method import Category, MethodInputs, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage
from harness.training_lists.list_stages import RankedLists


class DirectSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("listmle", description="a loss over the teacher's order")


class Direct(RetrieverMethod):
    """The teacher's order trains the retriever, no ranker between."""

    name = "direct"
    summary = "the LLM's order trains the retriever directly, no ranker"
    source = "the no-ranker arm of arXiv 2406.12169; ListMLE after Xia et al. 2008"
    needs = ("order",)
    category: ClassVar[Category] = "baseline"
    sees = ("order",)
    Settings: ClassVar[type[Settings]] = DirectSettings
    settings: DirectSettings

    def retriever(self, inputs: MethodInputs) -> Stage:

        return retriever_trained(
            inputs, RankedLists(labels=inputs.labels(), subset=inputs.subset()), self.settings, self.settings.retriever_loss
        )
