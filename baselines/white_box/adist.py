"""Attention distillation, ADist (Izacard et al., Atlas, JMLR 2023, arXiv 2208.03299), on a decoder-only reader.

p_k = softmax over k of A_k / T_gold; A_k sums over the tokens n of passage k the attention alpha_n times the length of
the value |v_n|, mean over heads, layers and the answer's tokens; loss KL(p_k || p_R), p_R = softmax(s / T_score). This
is `evalnormsum` of the released code, which also divides by a constant 256 before a T_gold of 0.01: 2.56 here.

Departures. The reader is a causal language model that stays as it is: its self-attention from the tokens that foretell
the answer to the passages stands in the place of T5's cross-attention, and earlier passages cannot see later ones. All
candidates stand in one context, each cut to `passage_tokens`. `measure: scores` is FiD-KD's aggregation instead (what
the softmax is taken of, at the first answer token, mean over tokens, heads and layers; then T_gold 1). T_score is what
the student's scores call for; reduction and candidates as said for PDist (pdist.py).
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.likelihoods import AnswerSettings, attention_lists
from baselines._shared.refresh import refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.teachers.attention.attention_answering import Measure


class ADistSettings(AnswerSettings):
    """Settings of the one stage."""

    passage_tokens: int = Field(64, ge=1, description="tokens of each passage that the reader sees")
    measure: Measure = Field("norms", description="norms: Atlas; scores: FiD-KD's aggregation")
    retriever_loss: LossChoice = Field(
        {"name": "kl", "teacher_temperature": 2.56}, description="a loss over the attention scores"
    )


class ADist(RetrieverMethod):
    """The reader's attention to each passage trains the retriever."""

    name = "adist"
    summary = "a decoder-only reader's attention to each passage trains the retriever (KL)"
    source = "Atlas, arXiv 2208.03299"
    needs = ("attention", "answers")
    category = "baseline"
    settings: ADistSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        settings = self.settings

        def lists(inputs: MethodInputs) -> Stage:
            return attention_lists(inputs, settings.prompt, settings.passage_tokens, settings.measure)

        return refreshed(inputs, lists, settings, settings.retriever_loss)
