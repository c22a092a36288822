"""InfoNCE on the teacher's first: the best candidate is the positive, everything else is a negative.

L = -log( exp s_1 / (exp s_1 + sum_n exp s_n) ), n over the other candidates and the documents of the batch's other lists.

The simplest use of a black box's order, and how much of it the top place holds. After DPR (arXiv 2004.04906) with the teacher in the
place of the annotator; T is the student's own default (0.05 for a cosine).
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.settings import LossChoice, StudentSettings, retriever_trained
from harness.method import Category, MethodInputs, RetrieverMethod
from harness.plugins import Settings
from harness.stage import Stage
from harness.training_lists.list_stages import RankedLists


class TeacherFirstSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field(
        {"name": "infonce", "positive": "top", "in_batch": True}, description="a contrastive loss over the teacher's order"
    )


class TeacherFirst(RetrieverMethod):
    """The candidate that the teacher puts first trains the retriever."""

    name = "teacher-first"
    summary = "InfoNCE on the candidate that the teacher puts first"
    source = "DPR, arXiv 2004.04906, with the teacher's first as gold"
    needs = ("order",)
    category: ClassVar[Category] = "baseline"
    sees = ("order",)
    Settings: ClassVar[type[Settings]] = TeacherFirstSettings
    settings: TeacherFirstSettings

    def retriever(self, inputs: MethodInputs) -> Stage:

        lists = RankedLists(labels=inputs.labels(), subset=inputs.subset())
        return retriever_trained(inputs, lists, self.settings, self.settings.retriever_loss)
