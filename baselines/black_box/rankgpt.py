"""RankGPT's permutation distillation (Sun et al., EMNLP 2023, arXiv 2304.09542): the teacher's order trains a ranker,
which re-ranks.

RankNet: mean over pairs with i before j of log(1 + exp(s_j - s_i)). No retriever is trained: the ranker re-orders what
the first stage finds for the evaluated queries. Not a rival on equal terms, for it reads every candidate with its
query; it shows what distilling the order further into a retriever costs.

Departures. The ranker is the sweep's, not DeBERTa-v3; candidates are those all methods share. As released: lr 5e-5 with
AdamW, 3 epochs, 1 list a step with accumulation over 8, BM25's 20 passages a list.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.reranking import RerankSettings, reranked
from harness.losses.spec import LossChoice
from harness.method import Method, MethodInputs
from harness.stage import Stage
from harness.training.student_settings import RankerSettings


class RankGPTSettings(RerankSettings):
    """The ranker, its training and what it re-ranks."""

    ranker: RankerSettings = Field(
        RankerSettings(architecture="cross-encoder", learning_rate=5e-5, epochs=3, batch=8),
        description="the ranker and how it is trained",
    )
    ranker_loss: LossChoice = Field("ranknet", description="a loss over the teacher's order")


class RankGPT(Method):
    """The teacher's order trains a ranker that re-ranks."""

    name = "rankgpt"
    summary = "the LLM's order trains a ranker (RankNet), which re-ranks the first stage; no retriever"
    source = "arXiv 2304.09542"
    needs = ("order",)
    category = "baseline"
    settings: RankGPTSettings

    def run(self, inputs: MethodInputs) -> Stage:
        settings = self.settings
        ranker = inputs.train_ranker(inputs.teacher_lists(), settings.ranker_loss, settings.ranker)
        return reranked(inputs, ranker, settings.ranker, settings)
