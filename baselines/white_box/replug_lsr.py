"""REPLUG LSR (Shi et al., NAACL 2024, arXiv 2301.12652): the retriever learns how much each passage helps a language
model.

P_R(d | x) = softmax(cos(E(d), E(x)) / gamma), Q(d | x, y) = softmax(log p_LM(y | d, x) / beta), loss KL(Q || P_R); both
temperatures 0.1.

Departures. y is the short answer of a training question and x the question; the paper's are halves of Pile passages.
The text of the paper has exp(p_LM / beta), its code passes log-likelihoods, as here. The direction is that of the
equation and of torch's KLDivLoss; a figure of the paper shows the other. Lists are mean-reduced over queries
(`batchmean`), the same for all methods here; `reduction: elementwise` divides by the list's length too, as the released
code does. That code passes the last document's score for all, so it is no reference. Candidates are those all methods
share, found anew only where `refresh` is set. The paper: 20 documents, Adam, lr 2e-5, batch 64, 25k steps, index
refresh every 3k steps, GPT-3 Curie as the reader.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.likelihoods import AnswerSettings, answer_lists
from baselines._shared.refresh import refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class ReplugSettings(AnswerSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field(
        {"name": "kl", "temperature": 0.1, "teacher_temperature": 0.1},
        description="a loss over the answer's log-likelihoods",
    )


class ReplugLSR(RetrieverMethod):
    """The likelihood of the answer after each passage trains the retriever."""

    name = "replug-lsr"
    summary = "likelihood of the answer after each passage trains the retriever (KL)"
    source = "arXiv 2301.12652"
    needs = ("likelihoods", "answers")
    category = "baseline"
    settings: ReplugSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        def lists(inputs: MethodInputs) -> Stage:
            return answer_lists(inputs, mean=False, prompt=self.settings.prompt)

        return refreshed(inputs, lists, self.settings, self.settings.retriever_loss)
