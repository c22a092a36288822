"""EMDR2 (Sachan et al., NeurIPS 2021, arXiv 2106.05346), as a retriever's loss in Atlas (arXiv 2208.03299).

L = -log sum_k p_LM(a | d_k, q) p_R(d_k | q), p_R = softmax(s / T); no gradient reaches the language model.

Departures. The likelihood is that of the whole answer, as in both papers' equations; Atlas's code sums passages out
token by token and takes the mean. The reader is a causal language model that stays as it is, where EMDR2 trains a
Fusion-in-Decoder reader in turn. The candidates are those all methods share unless `refresh` is set. T is what the
student's scores call for (the papers divide by sqrt(768)).
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.likelihoods import AnswerSettings, answer_lists
from baselines._shared.refresh import refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class EMDR2Settings(AnswerSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("emdr2", description="a loss over the answer's log-likelihoods")


class EMDR2(RetrieverMethod):
    """The answer's likelihood, marginal over passages, trains the retriever."""

    name = "emdr2"
    summary = "likelihood of the answer, summed over passages, trains the retriever"
    source = "arXiv 2106.05346; Atlas, arXiv 2208.03299"
    needs = ("likelihoods", "answers")
    category = "baseline"
    settings: EMDR2Settings

    def retriever(self, inputs: MethodInputs) -> Stage:
        def lists(inputs: MethodInputs) -> Stage:
            return answer_lists(inputs, mean=False, prompt=self.settings.prompt)

        return refreshed(inputs, lists, self.settings, self.settings.retriever_loss)
