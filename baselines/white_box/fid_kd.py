"""FiD-KD, "Distilling Knowledge from Reader to Retriever" (Izacard & Grave, ICLR 2021, arXiv 2012.04584).

p_k = softmax over k of the mean, over heads, layers and the tokens of passage k, of what the cross-attention's softmax
is taken of when the decoder writes the first token; loss KL(p_k || softmax(s)). Released code: s = q.d / sqrt(d), no
temperature, element-wise mean.

Departures. The reader (a teacher of kind `fid`) stays as it is; the paper trains the reader on answers, then the
retriever, and repeats with candidates found anew (`refresh` does that half). So answers matter only to whoever trained
the reader, and none are read here. The student's temperature is what its scores call for; `batchmean` unless
`reduction: elementwise`. As released: lr 1e-4 with AdamW, 100 passages, 20k steps.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.refresh import RefreshSettings, refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class FiDKDSettings(RefreshSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("kl", description="a loss over the cross-attention scores")


class FiDKD(RetrieverMethod):
    """A Fusion-in-Decoder reader's cross-attention trains the retriever."""

    name = "fid-kd"
    summary = "a Fusion-in-Decoder reader's cross-attention trains the retriever (KL)"
    source = "arXiv 2012.04584"
    needs = ("cross-attention",)
    category = "baseline"
    settings: FiDKDSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        return refreshed(inputs, lambda each: each.teacher_lists(), self.settings, self.settings.retriever_loss)
