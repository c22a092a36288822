"""What the methods share that turn a teacher's order into grades."""

from __future__ import annotations

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import MethodInputs
from harness.stage import Stage
from harness.training.student_settings import StudentSettings
from harness.training_lists.order_lists import Grade, GradedLists


class GradeSettings(StudentSettings):
    """How ranks become grades, and the loss."""

    grade: Grade = Field(
        "reciprocal", description="reciprocal: 1/rank; discounted: 1/log2(1 + rank); linear: (n - rank + 1)/n"
    )
    retriever_loss: LossChoice = Field(description="a loss over the grades")


def graded(inputs: MethodInputs, settings: GradeSettings) -> Stage:
    """The retriever trained on the grades of the teacher's order."""

    lists = GradedLists(lists=inputs.teacher_lists(), grade=settings.grade)
    return inputs.train_retriever(lists, settings.retriever_loss, settings)
