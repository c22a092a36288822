"""Losses on ranks made smooth: each candidate's rank is one plus how likely every other stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._lazy import lazy
from harness.losses._lists import differences, mean_where, prefix, reciprocal_ranks
from harness.losses.loss import Loss, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


def soft_ranks(scores: Tensor, target: Target, temperature: float) -> Tensor:
    """(B, K) from 1: ``1 + sum_{j != i} sigmoid((s_j - s_i) / T)`` over the candidates of a list."""
    before = (-differences(scores, target.mask, temperature)).sigmoid().masked_fill(~target.mask.unsqueeze(1), 0.0)
    # A candidate does not stand before itself; the diagonal is one half.
    return before.sum(2) + 0.5


class ApproxNDCG(Loss):
    """One minus nDCG with smooth ranks and the grades 1/rank of the target, its ideal DCG taken at the target's own
    ranks."""

    name = "approx-ndcg"
    summary = "one minus nDCG of smooth ranks"
    source = "Qin et al., Information Retrieval 2010, doi:10.1007/s10791-009-9124-x; Bruch et al., SIGIR 2019"
    formula = (
        "1 - sum_i g_i / log2(1 + r_i) / sum_i g_i / log2(1 + i); g_i = 2^(1/i) - 1, r_i = 1 + sum_j sigmoid(s_j - s_i)"
    )
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        gains = (torch.exp2(reciprocal_ranks(target)) - 1).masked_fill(~prefix(target), 0.0)
        places = torch.arange(1, scores.shape[1] + 1, device=scores.device)
        ideal = (gains / torch.log2(1.0 + places)).sum(1)
        found = (gains / torch.log2(1 + soft_ranks(scores, target, self.temperature))).sum(1)
        # A list without an order has nothing to lose.
        return torch.where(ideal > 0, 1 - found / ideal.clamp(min=1e-12), found).mean()


class ADRMSE(Loss):
    """Squared error of smooth ranks, early places weighing more (Approx Discounted Rank MSE, of Rank-DistiLLM)."""

    name = "adr-mse"
    summary = "discounted squared error between smooth ranks and the order's"
    source = "Schlatt et al. (Rank-DistiLLM), arXiv 2405.07920; ApproxRankMSE of lightning-ir"
    formula = "mean_{i<=m} (r_i - i)^2 / log2(1 + i); r_i = 1 + sum_j sigmoid(s_j - s_i)"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        places = torch.arange(1, scores.shape[1] + 1, device=scores.device)
        error = (soft_ranks(scores, target, self.temperature) - places).square() / torch.log2(1.0 + places)
        return mean_where(error, prefix(target))
