"""Plackett-Luce weighted by the teacher's own certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.losses._lists import mask_fill_min, masked_log_softmax, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    from torch import Tensor


class WeightedPlackettLuceSettings(LossSettings):
    """The target's scale."""

    teacher_temperature: float = Field(default=1.0, gt=0, description="the target's scores are divided by it")


class WeightedPlackettLuce(Loss):
    """Each candidate drawn from those that the teacher holds for no better, weighing its teacher share (M3,
    LLM-Embedder).

    Candidates with equal teacher scores are tied: each stands in the denominators of all, and their places say nothing.
    """

    name = "weighted-pl"
    version = 2
    summary = "ListMLE on the ranker's order, each place weighing the ranker's share of its candidate"
    source = "Zhang et al. (LLM-Embedder), arXiv 2310.07554; Chen et al. (M3-Embedding), arXiv 2402.03216"
    formula = "-sum_i softmax(t / T_t)_i log( exp s_i / sum_{j: t_j <= t_i} exp s_j )"
    role = "retriever"
    needs = ("scores",)
    settings: WeightedPlackettLuceSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        if target.scores is None:
            raise ValueError("weighted-pl needs the scores of a ranker or teacher, and these lists carry none")
        shares = (
            masked_log_softmax(target.scores, target.mask, self.settings.teacher_temperature)
            .exp()
            .masked_fill(~target.mask, 0.0)
        )
        teacher = mask_fill_min(to_float32(target.scores), target.mask)
        known = mask_fill_min(to_float32(scores) / self.temperature, target.mask)
        no_better = (teacher.unsqueeze(1) <= teacher.unsqueeze(2)) & target.mask.unsqueeze(1)
        denominators = mask_fill_min(known.unsqueeze(1).expand_as(no_better), no_better).logsumexp(-1)
        return (shares * (denominators - known).masked_fill(~target.mask, 0.0)).sum(1).mean()
