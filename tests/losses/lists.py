"""Lists to try losses on, and the plain Python they are checked against."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from harness.losses.loss import Loss, Target
from harness.losses.spec import LossChoice, LossSpec

Lists = Sequence[Sequence[float]]


def loss_from(choice: LossChoice, temperature: float = 1.0) -> Loss:
    """The loss that a sweep file names."""
    return LossSpec.of(choice).loss(temperature)


def padded(rows: Lists, garbage: float = 0.0, dtype: torch.dtype = torch.float64) -> Tensor:
    """(B, K) with `garbage` behind the short rows."""
    width = max(len(row) for row in rows)
    return torch.tensor([list(row) + [garbage] * (width - len(row)) for row in rows], dtype=dtype)


def target(
    sizes: Sequence[int],
    ordered: Sequence[int] | None = None,
    scores: Tensor | None = None,
    gold: Sequence[Sequence[int]] | None = None,
    others: Sequence[Sequence[bool]] | None = None,
) -> Target:
    """A target of lists with these sizes; everything is ordered unless said; `gold` names the positive places of each
    list."""
    mask = torch.arange(max(sizes)) < torch.tensor(sizes).unsqueeze(1)
    first = None
    if gold is not None:
        first = torch.zeros_like(mask)
        for row, places in enumerate(gold):
            first[row, list(places)] = True
    return Target(
        mask,
        torch.tensor(list(ordered if ordered is not None else sizes)),
        scores,
        first,
        torch.tensor(others) if others is not None else None,
    )


def softmax(scores: Sequence[float], temperature: float = 1.0) -> list[float]:
    """By the definition."""
    powers = [math.exp(score / temperature) for score in scores]
    return [power / sum(powers) for power in powers]


def plackett_luce(scores: Sequence[float], placed: int) -> float:
    """Probability that the first `placed` candidates are drawn in their order."""
    chance = 1.0
    for place in range(placed):
        chance *= math.exp(scores[place]) / sum(math.exp(score) for score in scores[place:])
    return chance
