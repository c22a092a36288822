"""Supervised training with mined hard negatives: gold documents against what the untrained retriever itself finds
(ANCE, DPR style).

InfoNCE as in `supervised`, with the negatives that the student ranks highest before training instead of the shared
first-stage candidates, and the documents of the batch's other lists. After DPR (arXiv 2004.04906: in-batch negatives
and one hard negative) and ANCE (arXiv 2007.00808), which mines anew while it trains: `refresh: 1` does so after every
epoch; left out, the negatives are mined once.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.refresh import RefreshSettings, mined, refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class MinedSettings(RefreshSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field(
        {"name": "infonce", "in_batch": True}, description="a contrastive loss over gold documents and mined negatives"
    )


class SupervisedMined(RetrieverMethod):
    """Gold labels and mined hard negatives train the retriever; no LLM."""

    name = "supervised-mined"
    summary = "InfoNCE on gold labels with negatives mined by the untrained retriever, no LLM"
    source = "ANCE, arXiv 2007.00808; DPR, arXiv 2004.04906"
    needs = ("gold labels",)
    category = "baseline"
    settings: MinedSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        def lists(inputs: MethodInputs) -> Stage:
            return mined(inputs).gold_lists()

        return refreshed(inputs, lists, self.settings, self.settings.retriever_loss)
