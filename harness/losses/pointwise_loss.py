"""Pointwise losses: each candidate's score against a grade of its rank. They fix a scale, which losses on lists leave
open."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import mean_where, prefix, reciprocal_ranks, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class PointwiseLossSettings(LossSettings):
    """How ranks become grades."""

    grade: Literal["reciprocal", "discounted"] = Field(
        default="reciprocal", description="reciprocal: 1/rank; discounted: 1/log2(1 + rank); 0 in the tail"
    )


class PointwiseLoss(Loss):
    """Base: the mean of a term over a list's candidates, then over lists; sigmoid(score) is held against the grade."""

    role = "ranker"
    needs = ("order",)
    shifts = False
    settings: PointwiseLossSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        known = to_float32(scores).masked_fill(~target.mask, 0.0) / self.temperature
        return mean_where(self.terms(known, self._grades(target).to(known.dtype)), target.mask)

    def _grades(self, target: Target) -> Tensor:

        if self.settings.grade == "reciprocal":
            return reciprocal_ranks(target)
        return prefix(target) / torch.log2(torch.arange(2.0, target.mask.shape[1] + 2, device=target.mask.device))

    @abstractmethod
    def terms(self, scores: Tensor, grades: Tensor) -> Tensor:
        """What each candidate adds (B, K)."""


class PointwiseBCE(PointwiseLoss):
    """Binary cross-entropy with the grade as a soft label."""

    name = "pointwise-bce"
    summary = "binary cross-entropy of each score with a grade of its rank"
    source = "as in RankGPT, arXiv 2304.09542"
    formula = "-mean_i [ y_i log sigmoid(s_i) + (1 - y_i) log(1 - sigmoid(s_i)) ]; y_i = 1/i or 1/log2(1 + i)"

    def terms(self, scores: Tensor, grades: Tensor) -> Tensor:

        return torch.nn.functional.softplus(scores) - grades * scores


class PointwiseMSE(PointwiseLoss):
    """Squared error of sigmoid(score)."""

    name = "pointwise-mse"
    summary = "squared error of each score, through a sigmoid, with a grade of its rank"
    source = "as in RankGPT, arXiv 2304.09542"
    formula = "mean_i (sigmoid(s_i) - y_i)^2; y_i = 1/i or 1/log2(1 + i)"

    def terms(self, scores: Tensor, grades: Tensor) -> Tensor:
        return (scores.sigmoid() - grades).square()
