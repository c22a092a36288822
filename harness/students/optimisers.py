"""The optimisers of a student and their learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._lazy import lazy

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")


def build_optimisers(model: torch.nn.Module, peak: float, decay: float) -> list[torch.optim.Optimizer]:
    """AdamW for dense weights, SparseAdam for embedding tables with sparse gradients; each group knows the `peak` of
    its rate."""
    sparse = [part.weight for part in model.modules() if isinstance(part, torch.nn.EmbeddingBag) and part.sparse]
    sparse_ids = {id(weight) for weight in sparse}
    dense = [weight for weight in model.parameters() if weight.requires_grad and id(weight) not in sparse_ids]
    optimisers: list[torch.optim.Optimizer] = []
    if sparse:
        optimisers.append(torch.optim.SparseAdam([{"params": sparse, "peak": peak}], lr=peak))
    if dense:
        groups = [
            {"params": [weight for weight in dense if weight.ndim > 1], "weight_decay": decay, "peak": peak},
            {"params": [weight for weight in dense if weight.ndim < 2], "weight_decay": 0.0, "peak": peak},
        ]
        optimisers.append(torch.optim.AdamW(groups, lr=peak, fused=True))
    return optimisers


def update_weights(optimisers: Sequence[torch.optim.Optimizer], share: float, clip: float) -> None:
    """One step of each at this `share` of its peak learning rate, dense gradients clipped to the norm `clip`; gradients
    are cleared."""
    for optimiser in optimisers:
        weights = [weight for group in optimiser.param_groups for weight in group["params"] if weight.grad is not None]
        if not isinstance(optimiser, torch.optim.SparseAdam):
            torch.nn.utils.clip_grad_norm_(weights, clip)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
        if weights:
            optimiser.step()
        optimiser.zero_grad()


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate: a line up over the warm-up, a line down to 0 after it."""
    rising = int(steps * warmup)
    return (step + 1) / (rising + 1) if step < rising else (steps - step) / max(steps - rising, 1)
