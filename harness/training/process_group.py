"""Processes that train one student together, a device each: every one learns from its share of each batch, and
gradients are added up.

The sum over the shares is the gradient of the whole batch, so a group takes the steps of a single process, up to
rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")


@dataclass(frozen=True)
class ProcessGroup:
    """This process among the `world_size` that train together; the only one by default."""

    rank: int = 0
    world_size: int = 1

    def share(self, numbers: np.ndarray) -> np.ndarray:
        """The part of a batch that is this process's to learn; empty where the batch is smaller than the group."""
        return numbers[self.rank :: self.world_size]

    def total(self, value: float) -> float:
        """The sum of what all processes hand in, the same to the last bit for all."""
        from accelerate import PartialState
        from accelerate.utils import reduce

        if self.world_size == 1:
            return value
        return float(reduce(torch.tensor(value, dtype=torch.float64, device=PartialState().device), "sum").item())

    def add_gradients(self, model: torch.nn.Module) -> None:
        """Every weight's gradient becomes the sum of those of all processes, in one message."""
        from accelerate.utils import reduce

        if self.world_size == 1:
            return
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        parts = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        summed = reduce(torch.cat([part.reshape(-1) for part in parts]), "sum")
        for weight, part in zip(weights, summed.split([part.numel() for part in parts]), strict=True):
            weight.grad = part.view_as(weight)


SINGLE_PROCESS = ProcessGroup()
