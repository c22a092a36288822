"""Leave-one-out perplexity distillation, LOOP (Izacard et al., Atlas, JMLR 2023, arXiv 2208.03299).

p_k = softmax over k of -log p_LM(a | D without d_k, q) / |a| / T_gold: a passage is worth what is lost without it;
loss KL(p_k || p_R), p_R = softmax(s / T_score). Released code: both temperatures 0.01.

Departures. A decoder-only reader has the other K - 1 passages in one context, in the order of the first stage, each cut
to `passage_tokens`; Atlas encodes each alone and fuses them in T5's decoder. It costs K long contexts a query, K - 1
times what PDist reads. The reader stays as it is; temperatures, reduction and candidates as said for PDist (pdist.py).

Precision. Leaving one passage out moves the answer's likelihood little, and a temperature of 0.01 magnifies what is
left. A teacher with `precision: auto` reads in bfloat16 where that is faster: with SmolLM2-135M on 12 questions
likelihoods moved by up to 0.31 nats, and the target by 0.10 in total variation on average, by up to 0.8 at worst. Give
the teacher `precision: fp32`, which is the equation to 1e-4.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.likelihoods import AnswerSettings, left_out_lists
from baselines._shared.refresh import refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class LOOPSettings(AnswerSettings):
    """Settings of the one stage."""

    passage_tokens: int = Field(64, ge=1, description="tokens of each passage that the reader sees")
    retriever_loss: LossChoice = Field(
        {"name": "kl", "teacher_temperature": 0.01}, description="a loss over the mean-token log-likelihoods lost"
    )


class LOOP(RetrieverMethod):
    """What the answer loses without a passage trains the retriever."""

    name = "loop"
    summary = "what the answer's likelihood loses without a passage trains the retriever (KL)"
    source = "Atlas, arXiv 2208.03299"
    needs = ("likelihoods", "answers")
    category = "baseline"
    settings: LOOPSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        def lists(inputs: MethodInputs) -> Stage:
            return left_out_lists(inputs, self.settings.prompt, self.settings.passage_tokens)

        return refreshed(inputs, lists, self.settings, self.settings.retriever_loss)
