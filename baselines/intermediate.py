"""Intermediate Distillation (Li et al., arXiv 2406.12169), re-implemented from the abstract and the authors' figure.

Stage 1: the teacher's order pi trains a ranker by ListMLE, -log P(pi | scores). Stage 2: the ranker scores candidate lists and the
retriever is trained by KL(P_ranker || P_retriever) over them; the ranker scores for free, so `distil_queries` may exceed the budget.
The paper's list length, backbones, temperatures, learning rates and epochs could not be read; every value here is our choice.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from baselines.settings import RankerSettings, StudentSettings, distilled, ranker_start
from harness.losses.spec import LossSpec
from harness.method import Group, Kit, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage


class IntermediateSettings(StudentSettings):
    """Settings of the two stages."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker and how it is trained")
    ranker_loss: str | dict[str, Any] = Field("listmle", description="loss of stage 1: the teacher's order in")
    retriever_loss: str | dict[str, Any] = Field("kl", description="loss of stage 2: the ranker's scores in")
    distil_queries: int | None = Field(None, ge=1, description="queries of stage 2; the labelled ones only when left out")


class Intermediate(RetrieverMethod):
    """The teacher's order trains a ranker; the ranker's scores train the retriever."""

    name = "intermediate"
    summary = "the LLM's order trains a ranker (ListMLE), the ranker's scores train the retriever (KL)"
    source = "arXiv 2406.12169"
    needs = ("order",)
    standing: ClassVar[Group] = "ours"
    sees = ("order",)
    Settings: ClassVar[type[Settings]] = IntermediateSettings
    settings: IntermediateSettings

    def retriever(self, kit: Kit) -> Stage:
        settings = self.settings
        return distilled(kit, self.ranker(kit), settings, settings.ranker, settings.retriever_loss, kit.draw(settings.distil_queries))

    def ranker(self, kit: Kit) -> Stage:
        """Stage 1."""
        from harness.students.lists import RankedLists
        from harness.students.stages import TrainRanker
        from harness.students.train import TrainSettings

        how = self.settings.ranker
        return TrainRanker(
            start=ranker_start(kit, how),
            lists=RankedLists(labels=kit.labels(), draw=kit.draw()),
            corpus=kit.collection.corpus,
            kind=how.kind,
            loss=LossSpec.of(self.settings.ranker_loss),
            train=TrainSettings(epochs=how.epochs, lr=how.lr, batch=how.batch),
            frozen_layers=how.frozen_layers,
            seed=kit.seed or 0,
            max_length=how.max_length,
        )
