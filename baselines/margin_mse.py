"""Margin-MSE (Hofstaetter et al., arXiv 2010.02666): the margins of an off-the-shelf ranker between gold and other documents.

L = mean over negatives of ((s+ - s-) - (t+ - t-))^2, t the ranker's scores. Gold labels say which document is d+; no LLM.

Departures. All candidates of the list are negatives of the one gold document at once, where the paper draws one triple at a time. The
ranker is `ranker: {start: ..., architecture: cross-encoder}`, the paper's a BERT cross-encoder (or three). As released: lr 7e-6, batch 32.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.settings import LossChoice, RankerSettings, StudentSettings, ranker_scored, retriever_trained
from harness.method import Axis, Category, MethodInputs, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage
from harness.training_lists.list_stages import GoldLists


class MarginMSEMethodSettings(StudentSettings):
    """The ranker that scores, and the loss."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker; it is not trained on labels")
    retriever_loss: LossChoice = Field("margin-mse", description="a loss over the ranker's scores, the gold document first")


class MarginMSEDistillation(RetrieverMethod):
    """A ranker's margins around gold documents train the retriever."""

    name = "margin-mse"
    summary = "an off-the-shelf ranker's margins between gold and candidates train the retriever, no LLM"
    source = "arXiv 2010.02666"
    needs = ("gold labels",)
    category: ClassVar[Category] = "baseline"
    sees = ("gold labels",)
    axes: ClassVar[frozenset[Axis]] = frozenset({"budget", "resample", "seed"})
    Settings: ClassVar[type[Settings]] = MarginMSEMethodSettings
    settings: MarginMSEMethodSettings

    def retriever(self, inputs: MethodInputs) -> Stage:

        settings = self.settings
        gold = GoldLists(subset=inputs.subset(), candidates=inputs.candidates, depth=inputs.list_depth, most_positives=1)
        lists = ranker_scored(inputs, gold, settings.ranker)
        return retriever_trained(inputs, lists, settings, settings.retriever_loss)
