"""InfoNCE on the teacher's first: the best candidate is the positive, everything else is a negative.

L = -log( exp s_1 / (exp s_1 + sum_n exp s_n) ), n over the other candidates and the documents of the batch's other
lists.

The simplest use of a black box's order, and how much of it the top place holds. After DPR (arXiv 2004.04906) with the
teacher in the place of the annotator; T is the student's own default (0.05 for a cosine).
"""

from __future__ import annotations

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import StudentSettings


class TeacherFirstSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field(
        {"name": "infonce", "positive": "top", "in_batch": True},
        description="a contrastive loss over the teacher's order",
    )


class TeacherFirst(RetrieverMethod):
    """The candidate that the teacher puts first trains the retriever."""

    name = "teacher-first"
    summary = "InfoNCE on the candidate that the teacher puts first"
    source = "DPR, arXiv 2004.04906, with the teacher's first as gold"
    needs = ("order",)
    category = "baseline"
    settings: TeacherFirstSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return inputs.train_retriever(inputs.teacher_lists(), self.settings.retriever_loss, self.settings)
