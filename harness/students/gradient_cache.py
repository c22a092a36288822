"""Large batches in bounded memory: activations are made again when the gradient arrives, instead of being kept.

Used on the passes of an encoder this is gradient caching (Gao et al., GradCache, arXiv 2101.06983): a contrastive loss
sees all embeddings of a batch at once while the activations of one pass are in memory. It costs one more forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from harness._lazy import lazy

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")

F = TypeVar("F")
Out = TypeVar("Out")


def recompute_activations(forward: Callable[[F], Out]) -> Callable[[F], Out]:
    """`forward` keeping nothing but its output; its second run sees the same random numbers and precision, so gradients
    are the same."""
    return partial(torch.utils.checkpoint.checkpoint, forward, use_reentrant=False)
