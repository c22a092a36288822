"""Plackett-Luce weighted by the teacher's own certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.losses._lists import fill, log_shares, widen
from harness.losses.base import Loss, LossSettings, Target

if TYPE_CHECKING:
    from torch import Tensor


class WeightedPlackettLuceSettings(LossSettings):
    """The target's scale."""

    teacher_temperature: float = Field(default=1.0, gt=0, description="the target's scores are divided by it")


class WeightedPlackettLuce(Loss):
    """ListMLE over the candidates by falling teacher score, each place weighing its candidate's teacher share (M3, LLM-Embedder).

    Candidates with equal teacher scores are taken as they stand.
    """

    name = "weighted-pl"
    summary = "ListMLE on the ranker's order, each place weighing the ranker's share of its candidate"
    source = "Zhang et al. (LLM-Embedder), arXiv 2310.07554; Chen et al. (M3-Embedding), arXiv 2402.03216"
    formula = "-sum_i softmax(t / T_t)_i log( exp s_i / sum_{j: t_j <= t_i} exp s_j )"
    role = "retriever"
    needs = ("scores",)
    Settings = WeightedPlackettLuceSettings
    settings: WeightedPlackettLuceSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        if target.scores is None:
            raise ValueError("weighted-pl needs the scores of a ranker or teacher, and these lists carry none")
        order = fill(widen(target.scores), target.mask).argsort(dim=1, descending=True, stable=True)
        mask = target.mask.gather(1, order)
        shares = log_shares(target.scores.gather(1, order), mask, self.settings.teacher_temperature).exp().masked_fill(~mask, 0.0)
        known = fill((widen(scores) / self.temperature).gather(1, order), mask)
        size = known.shape[1]
        remaining = mask.new_ones(size, size).triu()
        denominators = fill(known.unsqueeze(1).expand(-1, size, -1), remaining).logsumexp(-1)
        return (shares * (denominators - known).masked_fill(~mask, 0.0)).sum(1).mean()
