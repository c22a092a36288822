"""Syntriever's second stage (Kim & Baek, Findings of NAACL 2025, arXiv 2502.03824): preferences and a partial
Plackett-Luce model.

For a preference d+ over d- of a query: L = -log P(d+ | all) - log P(d- | all but d+), P a softmax of 20 cos over the
pair and the documents of the batch's other lists.

Departures. The preferences come from the teacher's one order of the list, at the price of that order, not from a
comparison each by GPT-4o; as in the released code they are among the first 5 candidates. Stage 1 (synthetic data) is
left out, so that the budget of labelled queries means the same as elsewhere; `syntriever-stages` has both. The paper:
batch 100, 1 epoch, 1,000 warm-up steps.
"""

from __future__ import annotations

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import StudentSettings
from harness.training_lists.order_lists import PairLists


class SyntrieverSettings(StudentSettings):
    """Which preferences count, and the loss."""

    top: int = Field(5, ge=2, description="preferences are among so many first-stage candidates")
    pairs: int = Field(5, ge=1, description="most preferences a query, drawn at random")
    retriever_loss: LossChoice = Field(
        {"name": "partial-pl", "in_batch": True, "temperature": 0.05},
        description="a loss over pairs, the preferred document first",
    )


def preferred(inputs: MethodInputs, settings: SyntrieverSettings) -> Stage:
    """Lists of two: the teacher's preferences."""

    return PairLists(
        lists=inputs.teacher_lists(),
        subset=inputs.subset(),
        candidates=inputs.candidates,
        top=settings.top,
        pairs=settings.pairs,
        seed=inputs.resample or 0,
    )


class Syntriever(RetrieverMethod):
    """Pairwise preferences train the retriever."""

    name = "syntriever"
    summary = "the teacher's pairwise preferences train the retriever (partial Plackett-Luce)"
    source = "arXiv 2502.03824"
    needs = ("order",)
    category = "baseline"
    settings: SyntrieverSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return inputs.train_retriever(preferred(inputs, self.settings), self.settings.retriever_loss, self.settings)
