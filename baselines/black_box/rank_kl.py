"""KL on a target made of ranks: what a likelihood target gives, from an order alone.

p_i = softmax over the list of y_i / T, y_i a grade of the rank (1/r; 0 in the unplaced tail); loss KL(p || softmax(s /
T_s)).

No single paper: rank-based soft targets are the ListNet of RankGPT (arXiv 2304.09542; y = 1/r) and of Tamber et al.
(arXiv 2502.19712, whose scores come from RankT5, T 0.3, T_s 0.05 on cosines, batchmean). T is 0.3 as there; the
student's temperature is its own default.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.grades import GradeSettings, graded
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class RankKLSettings(GradeSettings):
    """The same with the loss of this method."""

    retriever_loss: LossChoice = Field({"name": "kl", "teacher_temperature": 0.3}, description="a loss over the grades")


class RankKL(RetrieverMethod):
    """Grades of the teacher's ranks train the retriever by KL."""

    name = "rank-kl"
    summary = "grades of the teacher's ranks train the retriever (KL)"
    source = "ListNet targets as in RankGPT, arXiv 2304.09542; KL as in arXiv 2502.19712"
    needs = ("order",)
    category = "baseline"
    settings: RankKLSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return graded(inputs, self.settings)
