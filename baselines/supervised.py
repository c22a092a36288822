"""Supervised contrastive training on gold labels at the same budget: what the human labels alone are worth.

InfoNCE (van den Oord et al. 2018) of the gold documents against the other first-stage candidates. For training queries made from
documents (titles, sentences) the gold document is the one they came from.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.settings import LossChoice, StudentSettings, retriever_trained
from harness.method import Axis, Category, MethodInputs, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage
from harness.training_lists.list_stages import GoldLists


class SupervisedSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("infonce", description="a contrastive loss over gold documents and candidates")


class Supervised(RetrieverMethod):
    """Gold labels train the retriever; no LLM."""

    name = "supervised"
    summary = "InfoNCE on gold labels of as many queries, no LLM"
    source = "arXiv 1807.03748; DPR, arXiv 2004.04906"
    needs = ("gold labels",)
    category: ClassVar[Category] = "baseline"
    sees = ("gold labels",)
    axes: ClassVar[frozenset[Axis]] = frozenset({"budget", "resample", "seed"})
    Settings: ClassVar[type[Settings]] = SupervisedSettings
    settings: SupervisedSettings

    def retriever(self, inputs: MethodInputs) -> Stage:

        lists = GoldLists(subset=inputs.subset(), candidates=inputs.candidates, depth=inputs.list_depth)
        return retriever_trained(inputs, lists, self.settings, self.settings.retriever_loss)
