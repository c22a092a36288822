"""Direct distillation: the teacher's order trains the retriever itself, without a ranker between. The arm that shows
what a ranker adds."""

from __future__ import annotations

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import StudentSettings


class DirectSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("listmle", description="a loss over the teacher's order")


class Direct(RetrieverMethod):
    """The teacher's order trains the retriever, no ranker between."""

    name = "direct"
    summary = "the LLM's order trains the retriever directly, no ranker"
    source = "the no-ranker arm of arXiv 2406.12169; ListMLE after Xia et al. 2008"
    needs = ("order",)
    category = "baseline"
    settings: DirectSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return inputs.train_retriever(inputs.teacher_lists(), self.settings.retriever_loss, self.settings)
