"""Margin-MSE (Hofstaetter et al., arXiv 2010.02666): the margins of an off-the-shelf ranker between gold and other
documents.

L = mean over negatives of ((s+ - s-) - (t+ - t-))^2, t the ranker's scores. Gold labels say which document is d+; no
LLM.

Departures. All candidates of the list are negatives of the one gold document at once, where the paper draws one triple
at a time. The ranker is `ranker: {start: ..., architecture: cross-encoder}`, the paper's a BERT cross-encoder (or
three). As released: lr 7e-6, batch 32.
"""

from __future__ import annotations

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import RankerSettings, StudentSettings


class MarginMSEMethodSettings(StudentSettings):
    """The ranker that scores, and the loss."""

    ranker: RankerSettings = Field(RankerSettings(), description="the ranker; it is not trained on labels")
    retriever_loss: LossChoice = Field(
        "margin-mse", description="a loss over the ranker's scores, the gold document first"
    )


class MarginMSEDistillation(RetrieverMethod):
    """A ranker's margins around gold documents train the retriever."""

    name = "margin-mse"
    summary = "an off-the-shelf ranker's margins between gold and candidates train the retriever, no LLM"
    source = "arXiv 2010.02666"
    needs = ("gold labels",)
    category = "baseline"
    settings: MarginMSEMethodSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        ranker = inputs.untrained_ranker(settings.ranker)
        lists = inputs.score_lists(ranker, inputs.gold_lists(most_positives=1), settings.ranker)
        return inputs.train_retriever(lists, settings.retriever_loss, settings)
