"""Supervised contrastive training on gold labels at the same budget: what the human labels alone are worth.

InfoNCE (van den Oord et al. 2018) of the gold documents against the other first-stage candidates. For training queries
made from documents (titles, sentences) the gold document is the one they came from.
"""

from __future__ import annotations

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import StudentSettings


class SupervisedSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("infonce", description="a contrastive loss over gold documents and candidates")


class Supervised(RetrieverMethod):
    """Gold labels train the retriever; no LLM."""

    name = "supervised"
    summary = "InfoNCE on gold labels of as many queries, no LLM"
    source = "arXiv 1807.03748; DPR, arXiv 2004.04906"
    needs = ("gold labels",)
    category = "baseline"
    settings: SupervisedSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return inputs.train_retriever(inputs.gold_lists(), self.settings.retriever_loss, self.settings)
