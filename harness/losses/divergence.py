"""Divergences between the ranker's (or teacher's) distribution over a list and the student's."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import masked_log_softmax
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class DivergenceSettings(LossSettings):
    """Both temperatures, and how the sum over a list is scaled."""

    teacher_temperature: float = Field(default=1.0, gt=0, description="the target's scores are divided by it")
    reduction: Literal["batchmean", "elementwise"] = Field(
        default="batchmean",
        description="batchmean: sum over a list, mean over lists; elementwise: also divided by the list's length, "
        "as Atlas, FiD-KD and REPLUG do (the gradient is smaller by that factor)",
    )


class Divergence(Loss):
    """Base of the divergences; no factor T^2 is applied."""

    role = "retriever"
    needs = ("scores",)
    settings: DivergenceSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        if target.scores is None:
            raise ValueError(f"{self.name} needs the scores of a ranker or teacher, and these lists carry none")
        teacher = masked_log_softmax(target.scores, target.mask, self.settings.teacher_temperature)
        student = masked_log_softmax(scores, target.mask, self.temperature)
        total = self.terms(teacher, student).masked_fill(~target.mask, 0.0).sum(1)
        if self.settings.reduction == "elementwise":
            total = total / target.mask.sum(1).clamp(min=1)
        return total.mean()

    @abstractmethod
    def terms(self, teacher: Tensor, student: Tensor) -> Tensor:
        """What each candidate adds (B, K), from log shares (B, K)."""


class KL(Divergence):
    """Forward KL, teacher first: the student must cover what the teacher likes. The second stage of Intermediate
    Distillation."""

    name = "kl"
    summary = "forward KL(teacher || student) over the candidate list"
    source = "arXiv 2406.12169, stage 2; REPLUG LSR, arXiv 2301.12652"
    formula = "sum_i p_i log(p_i / q_i); p = softmax(t / T_t), q = softmax(s / T_s)"

    def terms(self, teacher: Tensor, student: Tensor) -> Tensor:
        return teacher.exp() * (teacher - student)


class ReverseKL(Divergence):
    """Reverse KL, student first: the student must avoid what the teacher dislikes."""

    name = "reverse-kl"
    summary = "reverse KL(student || teacher) over the candidate list"
    source = "Gu et al. (MiniLLM), arXiv 2306.08543"
    formula = "sum_i q_i log(q_i / p_i); p = softmax(t / T_t), q = softmax(s / T_s)"

    def terms(self, teacher: Tensor, student: Tensor) -> Tensor:
        return student.exp() * (student - teacher)


class JensenShannon(Divergence):
    """The mean KL of both to their midpoint: symmetric, at most log 2."""

    name = "jensen-shannon"
    summary = "Jensen-Shannon divergence over the candidate list"
    source = "Lin, IEEE Trans. Inf. Theory 1991, doi:10.1109/18.61115"
    formula = "1/2 KL(p || m) + 1/2 KL(q || m); m = (p + q) / 2"

    def terms(self, teacher: Tensor, student: Tensor) -> Tensor:

        middle = torch.logaddexp(teacher, student) - math.log(2)
        return (teacher.exp() * (teacher - middle) + student.exp() * (student - middle)) / 2
