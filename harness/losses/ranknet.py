"""Losses on pairs: every pair in its right order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import differences, mean_where, preference_mask, reciprocal_ranks
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class RankNet(Loss):
    """Logistic loss of all pairs that the order decides: within the prefix, and prefix over tail. Two of the tail make
    no pair.

    The mean over the pairs of a list, then over lists; with one list a step this is RankGPT's distillation loss.
    """

    name = "ranknet"
    summary = "logistic loss on every pair the order decides, all pairs alike"
    source = "Burges et al., ICML 2005, doi:10.1145/1102351.1102363; as in RankGPT, arXiv 2304.09542"
    formula = "mean_{i before j} log(1 + exp(s_j - s_i))"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        lead = differences(scores, target.mask, self.temperature)
        return mean_where(torch.nn.functional.softplus(-lead), preference_mask(target))


class WeightedRankNet(Loss):
    """RankNet whose pairs weigh as much as their grades 1/rank differ: the head of the list counts most."""

    name = "weighted-ranknet"
    summary = "logistic loss on every pair the order decides, weighted by the difference of 1/rank"
    source = "Burges et al., ICML 2005; weights by grade difference as in allRank, arXiv 2005.10084"
    formula = "sum_{i before j} w_ij log(1 + exp(s_j - s_i)) / sum w_ij; w_ij = 1/i - 1/j, 1/j = 0 in the tail"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        decided = preference_mask(target)
        grades = reciprocal_ranks(target)
        weights = (grades.unsqueeze(2) - grades.unsqueeze(1)).masked_fill(~decided, 0.0)
        lost = torch.nn.functional.softplus(-differences(scores, target.mask, self.temperature))
        return ((weights * lost).sum((1, 2)) / weights.sum((1, 2)).clamp(min=1e-12)).mean()


class HingeSettings(LossSettings):
    """How far apart is far enough."""

    margin: float = Field(default=1.0, gt=0, description="lead in (divided) scores from which on a pair costs nothing")


class Hinge(Loss):
    """Every pair that the order decides must be apart by a margin."""

    name = "hinge"
    summary = "hinge loss on every pair the order decides"
    source = "Herbrich et al., ICANN 1999 (RankSVM)"
    formula = "mean_{i before j} max(0, margin - (s_i - s_j))"
    role = "both"
    needs = ("order",)
    settings: HingeSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        lead = differences(scores, target.mask, self.temperature)
        return mean_where((self.settings.margin - lead).clamp(min=0), preference_mask(target))
