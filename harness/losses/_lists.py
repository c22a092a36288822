"""What the losses share: padded lists as tensors in which nothing at a padded place can reach the result or a gradient.

Torch is imported inside the functions, because every loss module is imported whenever a loss is looked up by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._lazy import lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.losses.loss import Target
else:
    torch = lazy("torch")


def to_float32(scores: Tensor) -> Tensor:
    """At least float32: bfloat16 has too few digits for sums over a list."""

    return scores.to(torch.promote_types(scores.dtype, torch.float32))


def mask_fill_min(scores: Tensor, mask: Tensor) -> Tensor:
    """The lowest finite number where `mask` is false: it vanishes beside any real score and, unlike -inf, makes no NaN
    in an empty list."""

    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min)


def masked_log_softmax(scores: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """Log of softmax(scores / temperature) over each list (B, K); 0 at padded places."""
    return mask_fill_min(to_float32(scores) / temperature, mask).log_softmax(-1).masked_fill(~mask, 0.0)


def prefix(target: Target) -> Tensor:
    """(B, K) bool: true at the ordered candidates."""

    places = torch.arange(target.mask.shape[1], device=target.mask.device)
    return target.mask & (places < target.ordered.unsqueeze(1))


def preference_mask(target: Target) -> Tensor:
    """(B, K, K) bool: true at [b, i, j] where the order puts i before j: i ordered, j later in the prefix or in the
    tail."""
    size = target.mask.shape[1]
    later = target.mask.new_ones(size, size).triu(1)
    return prefix(target).unsqueeze(2) & target.mask.unsqueeze(1) & later


def reciprocal_ranks(target: Target) -> Tensor:
    """(B, K) float32: 1/rank of ordered candidates, 0 in the tail and at padded places."""

    return prefix(target) / torch.arange(1, target.mask.shape[1] + 1, device=target.mask.device)


def differences(scores: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """(B, K, K): (scores[i] - scores[j]) / temperature; whatever stands at padded places counts as 0."""
    known = to_float32(scores).masked_fill(~mask, 0.0) / temperature
    return known.unsqueeze(2) - known.unsqueeze(1)


def mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Mean of `values` where `where` holds in each list, then over the B lists; a list where it never holds counts
    0."""
    values, where = values.flatten(1), where.flatten(1)
    return (values.masked_fill(~where, 0.0).sum(1) / where.sum(1).clamp(min=1)).mean()
