"""Cross-entropies between the student's softmax over a list and a target share for each candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import mask_fill_min, masked_log_softmax, mean_where, prefix, reciprocal_ranks, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


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
    settings: ListNetSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        shares = masked_log_softmax(reciprocal_ranks(target), target.mask, self.settings.target_temperature).exp()
        return -(shares * masked_log_softmax(scores, target.mask, self.temperature)).sum(1).mean()


class SoftmaxCrossEntropy(Loss):
    """The best candidate against all others; the rest of the order is not used. Localised contrastive estimation (LCE)
    is the same."""

    name = "softmax-ce"
    summary = "cross-entropy on the candidate that the order puts first"
    source = "as in RankGPT, arXiv 2304.09542; Gao et al. (LCE), arXiv 2101.08751"
    formula = "-log softmax(s)_1"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        best = -masked_log_softmax(scores, target.mask, self.temperature)[:, 0]
        return best.masked_fill(target.ordered == 0, 0.0).mean()


class InfoNCESettings(LossSettings):
    """What is a positive, and what else is a negative."""

    positive: Literal["gold", "top"] = Field(
        default="gold", description="gold: the list's gold documents; top: the candidate that the order puts first"
    )
    in_batch: bool = Field(
        default=False,
        description="documents of the batch's other lists are negatives too, except those known to answer the query",
    )


class InfoNCE(Loss):
    """Every positive against the negatives of its list, and of its batch if so set; other positives stay out of its
    denominator.

    The mean over a list's positives, then over lists; a list without a positive counts 0.
    """

    name = "infonce"
    summary = "contrastive: each positive against the list's negatives, and the batch's"
    source = "van den Oord et al., arXiv 1807.03748; in-batch as in DPR, arXiv 2004.04906"
    formula = (
        "mean_{p in P} -log( exp s_p / (exp s_p + sum_{n not in P} exp s_n) ); in_batch: n also over the other lists"
    )
    role = "both"
    needs = ("gold labels",)
    settings: InfoNCESettings

    @property
    def needed(self) -> tuple[str, ...]:
        return self.needs if self.settings.positive == "gold" else ("order",)

    @property
    def in_batch(self) -> bool:
        return self.settings.in_batch

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        size = target.mask.shape[1]
        wanted = self._positives(target)
        known = to_float32(scores) / self.temperature
        own = known[:, :size]
        negatives = mask_fill_min(own, target.mask & ~wanted)
        if self.in_batch:
            negatives = torch.cat([negatives, mask_fill_min(known[:, size:], _others(target))], 1)
        positives = own.masked_fill(~target.mask, 0.0)
        return mean_where(torch.nn.functional.softplus(negatives.logsumexp(1, keepdim=True) - positives), wanted)

    def _positives(self, target: Target) -> Tensor:
        """(B, K) bool"""
        if self.settings.positive == "top":
            placed = prefix(target)
            return placed & (placed.cumsum(1) == 1)
        if target.positives is None:
            raise ValueError(
                "infonce needs gold positives, and these lists carry none; with positive: top it needs an order only"
            )
        return target.positives & target.mask


def _others(target: Target) -> Tensor:
    if target.in_batch_negatives is None:
        raise ValueError("infonce with in_batch needs the documents of the whole batch, and this target has none")
    return target.in_batch_negatives
