"""ART (Sachan et al., TACL 2023, arXiv 2206.10658): query likelihood, the signal of UPR (arXiv 2204.07496), trains the
retriever.

p_k = softmax over k of log p_LM(q | d_k) / |q| / T_gold, the mean over the query's tokens; loss KL(p_k || p_R), p_R =
softmax(s / T_score). No answers and no labels. Released code: T_gold 1, s = q.d / sqrt(768), `batchmean`, 32 passages.

Departures. The prompt is the teacher's own unless `prompt` says otherwise (`question` is UPR's and ART's); the reader
is a causal language model rather than T0-3B. T_score is what the student's scores call for (0.05 for a cosine).
Candidates are those all methods share unless `refresh` is set; ART reloads its index every 500 steps. `mean: false`
sums over tokens instead, as UPR's code does. `reduction: elementwise` on the loss also divides by the list's length.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.likelihoods import query_lists
from baselines._shared.refresh import RefreshSettings, refreshed
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Stage


class ARTSettings(RefreshSettings):
    """Settings of the one stage."""

    prompt: str | None = Field(None, description="a bundled prompt or a .yaml file; the teacher's own when left out")
    mean: bool = Field(True, description="divide the log-likelihood by the query's tokens")
    retriever_loss: LossChoice = Field("kl", description="a loss over the query's log-likelihoods")


class ART(RetrieverMethod):
    """The likelihood of the query after each passage trains the retriever."""

    name = "art"
    summary = "likelihood of the query after each passage trains the retriever (KL), no answers"
    source = "arXiv 2206.10658; UPR, arXiv 2204.07496"
    needs = ("likelihoods",)
    category = "baseline"
    settings: ARTSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        def lists(inputs: MethodInputs) -> Stage:
            return query_lists(inputs, self.settings.mean, self.settings.prompt)

        return refreshed(inputs, lists, self.settings, self.settings.retriever_loss)
