"""RankNet: every pair in its right order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.losses._lists import behind, differences, mean_where
from harness.losses.base import Loss, Target

if TYPE_CHECKING:
    from torch import Tensor


class RankNet(Loss):
    """Logistic loss of all pairs that the order decides: within the prefix, and prefix over tail. Two of the tail make no pair.

    The mean over the pairs of a list, then over lists; with one list a step this is RankGPT's distillation loss.
    """

    name = "ranknet"
    summary = "logistic loss on every pair the order decides, all pairs alike"
    source = "Burges et al., ICML 2005, doi:10.1145/1102351.1102363; as in RankGPT, arXiv 2304.09542"
    formula = "mean_{i before j} log(1 + exp(s_j - s_i))"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        import torch

        lead = differences(scores, target.mask, self.temperature)
        return mean_where(torch.nn.functional.softplus(-lead), behind(target))
