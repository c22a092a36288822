"""Plackett-Luce over the documents of a whole batch, of which a list places only its own few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.losses._lists import mask_fill_min, prefix, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    from torch import Tensor


class PartialPlackettLuceSettings(LossSettings):
    """What stands behind the placed candidates."""

    in_batch: bool = Field(
        default=False,
        description="documents of the batch's other lists stand behind each list, except those known to answer the "
        "query",
    )


class PartialPlackettLuce(Loss):
    """Likelihood of the first places, with all that was not placed in every denominator: Syntriever's loss for
    preferences.

    For a pair it is the cross-entropy of the preferred document among all, plus that of the other one among all but the
    preferred. Without `in_batch` it is ListMLE.
    """

    name = "partial-pl"
    summary = "likelihood of the order under Plackett-Luce, with the batch's other documents behind it"
    source = "Kim & Baek (Syntriever), arXiv 2502.03824"
    formula = (
        "-sum_{i<=m} [ s_i - log( sum_{j>=i} exp s_j + sum_n exp s_n ) ]; in_batch: n over the batch's other documents"
    )
    role = "both"
    needs = ("order",)
    settings: PartialPlackettLuceSettings

    @property
    def in_batch(self) -> bool:
        return self.settings.in_batch

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        size = target.mask.shape[1]
        known = to_float32(scores) / self.temperature
        own = mask_fill_min(known[:, :size], target.mask)
        remaining = target.mask.new_ones(size, size).triu()
        denominators = mask_fill_min(own.unsqueeze(1).expand(-1, size, -1), remaining).logsumexp(-1)
        if self.in_batch:
            denominators = denominators.logaddexp(
                mask_fill_min(known[:, size:], _others(target)).logsumexp(1, keepdim=True)
            )
        return (denominators - own).masked_fill(~prefix(target), 0.0).sum(1).mean()


def _others(target: Target) -> Tensor:
    if target.in_batch_negatives is None:
        raise ValueError("partial-pl with in_batch needs the documents of the whole batch, and this target has none")
    return target.in_batch_negatives
