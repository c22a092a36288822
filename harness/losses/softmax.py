"""Cross-entropies between the student's softmax over a list and a target share for each candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.losses._lists import fill, log_shares, mean_where, reciprocal_ranks, widen
from harness.losses.base import Loss, LossSettings, Target

if TYPE_CHECKING:
    from torch import Tensor


class ListNetSettings(LossSettings):
    """How ranks become target shares."""

    target_temperature: float = Field(default=1.0, gt=0, description="the target's grades 1/rank are divided by it")


class ListNet(Loss):
    """Top-1 ListNet with the grade 1/rank for ordered candidates and 0 for the tail, as RankGPT feeds it."""

    name = "listnet"
    summary = "cross-entropy between softmax of 1/rank and the student's softmax"
    source = "Cao et al., ICML 2007, doi:10.1145/1273496.1273513; grades as in RankGPT, arXiv 2304.09542"
    formula = "-sum_i softmax(y / T_y)_i log softmax(s)_i; y_i = 1/i in the prefix, 0 in the tail"
    role = "both"
    needs = ("order",)
    Settings = ListNetSettings
    settings: ListNetSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        shares = log_shares(reciprocal_ranks(target), target.mask, self.settings.target_temperature).exp()
        return -(shares * log_shares(scores, target.mask, self.temperature)).sum(1).mean()


class SoftmaxCrossEntropy(Loss):
    """The best candidate against all others; the rest of the order is not used. Localised contrastive estimation (LCE) is the same."""

    name = "softmax-ce"
    summary = "cross-entropy on the candidate that the order puts first"
    source = "as in RankGPT, arXiv 2304.09542; Gao et al. (LCE), arXiv 2101.08751"
    formula = "-log softmax(s)_1"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        best = -log_shares(scores, target.mask, self.temperature)[:, 0]
        return best.masked_fill(target.ordered == 0, 0.0).mean()


class InfoNCE(Loss):
    """Every gold positive against the negatives of its list; the other positives stay out of its denominator.

    The mean over a list's positives, then over lists; a list without a positive counts 0.
    """

    name = "infonce"
    summary = "contrastive: each gold positive against the list's negatives"
    source = "van den Oord et al., arXiv 1807.03748; as in DPR, arXiv 2004.04906"
    formula = "mean_{p in P} -log( exp s_p / (exp s_p + sum_{n not in P} exp s_n) )"
    role = "both"
    needs = ("gold labels",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        import torch

        if target.first is None:
            raise ValueError("infonce needs gold positives, and these lists carry none")
        known = widen(scores) / self.temperature
        negatives = fill(known, target.mask & ~target.first).logsumexp(1, keepdim=True)
        positives = known.masked_fill(~target.mask, 0.0)
        return mean_where(torch.nn.functional.softplus(negatives - positives), target.first & target.mask)
