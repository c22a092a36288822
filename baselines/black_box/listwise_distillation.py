"""Listwise distillation of Tamber et al. (arXiv 2502.19712 and 2505.19274): KL over the list, and a little InfoNCE
beside it.

p_i = softmax over the list of t_i / 0.3, q_i = softmax of s_i / 0.05; loss KL(p || q) + 0.1 L_c, where L_c = -log(
exp(s_1 / 0.01) / sum_j exp(s_j / 0.01) ), s_1 the teacher's first and j over the list and the documents of the batch's
other lists; both are means over lists. Temperatures, weight and reduction are those of the released code
(train_bge_listwise.py).

Departures. The paper's t are RankT5 scores brought into [0, 1]; from a black box there is only the order, so t is a
grade of the rank in the same range (1/r; 0 in the unplaced tail). The code keeps documents whose score is above 0.6 of
the first's out of L_c: no grade 1/r is but the first's own. Its queries are written by a language model and filtered;
here they are those that all methods see. The documents of other lists that are known to answer a query are no negatives
for it. As released: lists of 20, lr 2e-4, weight decay 0.01, 4,096 lists a step, 30 epochs, the checkpoint with the
least loss on held-out queries (`stop` takes the best one).
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.grades import GradeSettings, graded
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class ListwiseSettings(GradeSettings):
    """The same with the loss of this method."""

    retriever_loss: LossChoice = Field(
        {
            "name": "sum",
            "of": [
                {"name": "kl", "teacher_temperature": 0.3, "temperature": 0.05},
                {"name": "infonce", "weight": 0.1, "positive": "top", "in_batch": True, "temperature": 0.01},
            ],
        },
        description="a loss over the grades and the order",
    )


class ListwiseDistillation(RetrieverMethod):
    """Grades of the teacher's ranks train the retriever by KL, its first by InfoNCE beside it."""

    name = "listwise-distillation"
    summary = "grades of the teacher's ranks train the retriever (KL), its first beside them (InfoNCE)"
    source = "Tamber et al., arXiv 2502.19712"
    needs = ("order",)
    category = "baseline"
    settings: ListwiseSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return graded(inputs, self.settings)
