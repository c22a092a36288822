"""Teacher-weighted Plackett-Luce directly on the retriever: the stable distillation of LLM-Embedder (arXiv 2310.07554,
ACL 2024).

L = -sum_i softmax(t / T_t)_i log( exp s_i / sum_{j: t_j <= t_i} exp s_j ); M3-Embedding (arXiv 2402.03216) has the same
form.

Departures. LLM-Embedder's t are answer log-likelihoods; from a black box there is only the order, so t is a grade of
the rank (1/r; 0 in the unplaced tail, whose documents count as tied). In-batch keys are left out, so that all methods
see the same lists. T_t is 0.3. The paper: cosine temperature 0.01, lr 5e-6, 8 documents a query, batch 100 on each of 8
GPUs, 2k to 10k steps.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.grades import GradeSettings, graded
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class TeacherWeightedSettings(GradeSettings):
    """The same with the loss of this method."""

    retriever_loss: LossChoice = Field(
        {"name": "weighted-pl", "teacher_temperature": 0.3}, description="a loss over the grades"
    )


class TeacherWeighted(RetrieverMethod):
    """The teacher's order, early places weighing more, trains the retriever."""

    name = "teacher-weighted-pl"
    summary = "the teacher's order trains the retriever by Plackett-Luce, early places weighing more"
    source = "LLM-Embedder, arXiv 2310.07554"
    needs = ("order",)
    category = "baseline"
    settings: TeacherWeightedSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return graded(inputs, self.settings)
