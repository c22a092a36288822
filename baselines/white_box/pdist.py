"""Perplexity distillation, PDist (Izacard et al., Atlas, JMLR 2023, arXiv 2208.03299).

p_k = softmax over k of log p_LM(a | d_k, q) / |a| / T_gold, the mean over the answer's tokens, one passage at a time;
p_R = softmax(s / T_score); loss KL(p_k || p_R). Released code: both temperatures 0.01, s = q.d / sqrt(768).

Departures. The reader is a causal language model and stays as it is; Atlas trains its T5 along with the retriever.
T_gold is the released 0.01; T_score is what the student's scores call for (0.05 for a cosine), since theirs belongs to
an unbounded dot product. Mean over queries (`batchmean`) as everywhere here; `reduction: elementwise` also divides by
the list's length, as torch's default does in the released code. Candidates are those all methods share unless `refresh`
is set (Atlas: at 500, 1,000 and then every 2,000 steps; not at all with few examples, where only the query side learns:
`frozen_documents`).

Precision. The target is the equation to 1e-4 with a teacher of `precision: fp32`; bfloat16, which `auto` takes where it
is faster, barely moves it, since passages differ by far more than its rounding. LOOP's it does move (loop.py).
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.likelihoods import AnswerSettings, answer_lists
from baselines._shared.refresh import refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class PDistSettings(AnswerSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field(
        {"name": "kl", "teacher_temperature": 0.01}, description="a loss over the answer's mean-token log-likelihoods"
    )


class PDist(RetrieverMethod):
    """The perplexity of the answer after each passage trains the retriever."""

    name = "pdist"
    summary = "perplexity of the answer after each passage trains the retriever (KL)"
    source = "Atlas, arXiv 2208.03299"
    needs = ("likelihoods", "answers")
    category = "baseline"
    settings: PDistSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        def lists(inputs: MethodInputs) -> Stage:
            return answer_lists(inputs, mean=True, prompt=self.settings.prompt)

        return refreshed(inputs, lists, self.settings, self.settings.retriever_loss)
