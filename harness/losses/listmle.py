"""The likelihood of an order under the Plackett-Luce model: ListMLE and its relatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import mask_fill_min, prefix, to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class ListMLE(Loss):
    """Negative log likelihood of the ordered prefix, with the unordered tail in every denominator (truncated
    Plackett-Luce).

    Without a tail this is ListMLE of Xia et al. 2008; with one it is the likelihood of the top m. The sum over the
    prefix is not divided by its length, so a longer order weighs more. Every denominator is a logsumexp of its own
    rather than one reversed torch.logcumsumexp, whose gradient loses digits at large scores (3.0017 for 3 at scores of
    5e4); lists are short enough.
    """

    name = "listmle"
    summary = "likelihood of the order under Plackett-Luce; candidates left unplaced rank below all placed ones"
    source = "Xia et al., ICML 2008, doi:10.1145/1390156.1390306"
    formula = (
        "-sum_{i<=m} [ s_i - log sum_{j>=i} exp s_j ]; m ordered candidates, j over the rest of the prefix and the tail"
    )
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        return _surprises(scores, target, self.temperature).sum(1).mean()


class PListMLE(Loss):
    """Position-aware ListMLE: early places weigh more. The weights of a list sum to one; in the paper they grow as two
    to its length."""

    name = "p-listmle"
    summary = "ListMLE whose early places weigh more"
    source = "Lan et al., UAI 2014 (Position-Aware ListMLE)"
    formula = (
        "-sum_{i<=m} w_i [ s_i - log sum_{j>=i} exp s_j ]; w_i = (2^(n-i+1) - 1) / sum_k (2^(n-k+1) - 1), n "
        "candidates, k <= m"
    )
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        placed = prefix(target)
        places = torch.arange(scores.shape[1], device=scores.device)
        # Divided by two to the n, which no weight notices and long lists need.
        weights = (torch.exp2(-places.float()) - torch.exp2(-target.mask.sum(1, keepdim=True).float())).masked_fill(
            ~placed, 0.0
        )
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-30)
        return (weights * _surprises(scores, target, self.temperature)).sum(1).mean()


class TopKSettings(LossSettings):
    """How much of the order counts."""

    k: int = Field(
        default=5, ge=1, description="places whose likelihood counts; what stands behind them is an unordered tail"
    )


class TopKPlackettLuce(Loss):
    """Likelihood of the first k places only: truncated Plackett-Luce for teachers whose tail is noise."""

    name = "top-k-pl"
    summary = "likelihood of the first k places under Plackett-Luce"
    source = "Xia et al., NeurIPS 2009 (top-k ListMLE)"
    formula = "-sum_{i<=min(k, m)} [ s_i - log sum_{j>=i} exp s_j ]"
    role = "both"
    needs = ("order",)
    settings: TopKSettings

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        return _surprises(scores, target, self.temperature)[:, : self.settings.k].sum(1).mean()


def _surprises(scores: Tensor, target: Target, temperature: float) -> Tensor:
    """(B, K): minus the log probability of each ordered candidate among those not placed before it; 0 elsewhere."""
    known = mask_fill_min(to_float32(scores) / temperature, target.mask)
    size = known.shape[1]
    remaining = target.mask.new_ones(size, size).triu()
    denominators = mask_fill_min(known.unsqueeze(1).expand(-1, size, -1), remaining).logsumexp(-1)
    return (denominators - known).masked_fill(~prefix(target), 0.0)
