"""What the methods share that turn a teacher's order into grades."""

from __future__ import annotations

from pydantic import Field

from baselines._shared.settings import LossChoice, StudentSettings, retriever_trained
from harness.method import MethodInputs
from harness.stage import Stage
from harness.training_lists.list_stages import RankedLists
from harness.training_lists.order_lists import Grade, GradedLists


class GradeSettings(StudentSettings):
    """How ranks become grades, and the loss."""

    grade: Grade = Field("reciprocal", description="reciprocal: 1/rank; discounted: 1/log2(1 + rank); linear: (n - rank + 1)/n")
    retriever_loss: LossChoice = Field(description="a loss over the grades")


def graded(inputs: MethodInputs, settings: GradeSettings) -> Stage:
    """The retriever trained on the grades of the teacher's order."""

    ordered = RankedLists(labels=inputs.labels(), subset=inputs.subset())
    lists = GradedLists(lists=ordered, grade=settings.grade)
    return retriever_trained(inputs, lists, settings, settings.retriever_loss)
