"""LambdaRank and the LambdaLoss family: logistic losses on pairs, weighted by what a pair means for nDCG as the list
now stands."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import differences, mask_fill_min, preference_mask, reciprocal_ranks, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class LambdaLoss(Loss):
    """Base. Grades are 1/rank (0 in the tail), gains 2^grade - 1 over the list's ideal DCG; the weights get no
    gradient.

    Pairs are those that the order decides; their sum, then the mean over lists.
    """

    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        places = torch.arange(1, scores.shape[1] + 1, device=scores.device)
        gains = torch.exp2(reciprocal_ranks(target)) - 1
        gains = gains / (gains / torch.log2(1.0 + places)).sum(1, keepdim=True).clamp(min=1e-12)
        weights = self.weights(gains, _ranks(scores, target)).masked_fill(~preference_mask(target), 0.0)
        lost = torch.nn.functional.softplus(-differences(scores, target.mask, self.temperature)) / torch.log(
            torch.tensor(2.0)
        )
        return (weights * lost).sum((1, 2)).mean()

    @abstractmethod
    def weights(self, gains: Tensor, ranks: Tensor) -> Tensor:
        """Weight of each pair (B, K, K) from gains (B, K) and present ranks (B, K) from 1; entry i, j: i should stand
        before j."""


def _ranks(scores: Tensor, target: Target) -> Tensor:
    """(B, K) from 1: where each candidate stands by the present scores; padded places stand last."""
    order = mask_fill_min(to_float32(scores.detach()), target.mask).argsort(dim=1, descending=True, stable=True)
    return order.argsort(dim=1) + 1


def _discount(ranks: Tensor) -> Tensor:

    return 1 / torch.log2(1.0 + ranks)


def _swap(gains: Tensor, ranks: Tensor) -> Tensor:
    """How much nDCG changes when the two of a pair change places."""
    discount = _discount(ranks)
    return (gains.unsqueeze(2) - gains.unsqueeze(1)).abs() * (discount.unsqueeze(2) - discount.unsqueeze(1)).abs()


def _bound(gains: Tensor, ranks: Tensor) -> Tensor:
    """NDCG-Loss2's weights: by how far apart the two of a pair stand."""
    apart = (ranks.unsqueeze(2) - ranks.unsqueeze(1)).abs()
    step = _discount(apart.clamp(min=1)) - _discount(apart.clamp(min=1) + 1)
    return step * (gains.unsqueeze(2) - gains.unsqueeze(1)).abs()


class LambdaRank(LambdaLoss):
    """A pair weighs what swapping it would change."""

    name = "lambdarank"
    summary = "logistic loss on pairs, weighted by the change of nDCG when they swap"
    source = (
        "Burges et al., NeurIPS 2006; in the form of Wang et al. (LambdaLoss), CIKM 2018, doi:10.1145/3269206.3271784"
    )
    formula = "sum_{i before j} |G_i - G_j| |1/D_i - 1/D_j| log2(1 + exp(s_j - s_i)); D = log2(1 + present rank)"

    def weights(self, gains: Tensor, ranks: Tensor) -> Tensor:
        return _swap(gains, ranks)


class NDCGLoss1(LambdaLoss):
    """A pair weighs the gain of its better one at its present rank."""

    name = "ndcg-loss1"
    summary = "LambdaLoss whose pairs weigh the better one's discounted gain"
    source = "Wang et al. (LambdaLoss), CIKM 2018, doi:10.1145/3269206.3271784"
    formula = "sum_{i before j} G_i / D_i log2(1 + exp(s_j - s_i)); D = log2(1 + present rank)"

    def weights(self, gains: Tensor, ranks: Tensor) -> Tensor:
        return (gains * _discount(ranks)).unsqueeze(2).expand(-1, -1, gains.shape[1])


class NDCGLoss2(LambdaLoss):
    """A tighter bound on nDCG: pairs weigh by how far apart they stand."""

    name = "ndcg-loss2"
    summary = "LambdaLoss whose pairs weigh by the distance of their present ranks"
    source = "Wang et al. (LambdaLoss), CIKM 2018, doi:10.1145/3269206.3271784"
    formula = (
        "sum_{i before j} |1/D_a - 1/D_(a+1)| |G_i - G_j| log2(1 + exp(s_j - s_i)); a = distance of the present ranks"
    )

    def weights(self, gains: Tensor, ranks: Tensor) -> Tensor:
        return _bound(gains, ranks)


class PlusSettings(LossSettings):
    """How the two weights are mixed."""

    mu: float = Field(default=10.0, ge=0, description="weight of NDCG-Loss2 beside LambdaRank")


class NDCGLoss2Plus(LambdaLoss):
    """NDCG-Loss2 and LambdaRank together."""

    name = "ndcg-loss2++"
    summary = "LambdaLoss with the weights of NDCG-Loss2 and LambdaRank added"
    source = "Wang et al. (LambdaLoss), CIKM 2018, doi:10.1145/3269206.3271784"
    formula = "sum_{i before j} (lambdarank_ij + mu ndcg-loss2_ij) log2(1 + exp(s_j - s_i))"
    settings: PlusSettings

    def weights(self, gains: Tensor, ranks: Tensor) -> Tensor:
        return _swap(gains, ranks) + self.settings.mu * _bound(gains, ranks)
