"""Squared errors: of the distance between two candidates' scores, or of the scores themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from harness.losses._lists import differences, mean_where, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    from torch import Tensor


class MarginMSESettings(LossSettings):
    """Both temperatures and the pairs that count."""

    teacher_temperature: float = Field(default=1.0, gt=0, description="the target's scores are divided by it")
    pairs: Literal["best", "all"] = Field(
        default="best", description="best: the list's first candidate against each other one; all: every pair"
    )


class MarginMSE(Loss):
    """Squared error of score margins; the mean over the pairs of a list, then over lists."""

    name = "margin-mse"
    summary = "squared error between the ranker's and the student's score margins"
    source = "Hofstaetter et al., arXiv 2010.02666"
    formula = "mean_{(i,j)} ((s_i - s_j) - (t_i - t_j))^2"
    role = "retriever"
    needs = ("scores",)
    settings: MarginMSESettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        if target.scores is None:
            raise ValueError("margin-mse needs the scores of a ranker or teacher, and these lists carry none")
        error = differences(scores, target.mask, self.temperature) - differences(
            target.scores, target.mask, self.settings.teacher_temperature
        )
        size = target.mask.shape[1]
        counted = (target.mask.unsqueeze(2) & target.mask.unsqueeze(1)) & target.mask.new_ones(size, size).triu(1)
        if self.settings.pairs == "best":
            counted = counted & (target.mask.cumsum(1) == 1).unsqueeze(2)
        return mean_where(error.square(), counted)


class ScoreMSESettings(LossSettings):
    """The target's scale."""

    teacher_temperature: float = Field(default=1.0, gt=0, description="the target's scores are divided by it")


class ScoreMSE(Loss):
    """Squared error of each score; the mean over a list's candidates, then over lists. It fixes the scale as well as
    the order."""

    name = "score-mse"
    summary = "squared error between the ranker's and the student's scores"
    source = "Hinton et al., arXiv 1503.02531 (matching logits)"
    formula = "mean_i (s_i - t_i)^2"
    role = "retriever"
    needs = ("scores",)
    shifts = False
    settings: ScoreMSESettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        if target.scores is None:
            raise ValueError("score-mse needs the scores of a ranker or teacher, and these lists carry none")
        known = to_float32(scores) / self.temperature - to_float32(target.scores) / self.settings.teacher_temperature
        return mean_where(known.masked_fill(~target.mask, 0.0).square(), target.mask)
