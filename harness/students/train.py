"""The training loop of rankers and retrievers.

A plain torch loop rather than a Trainer: batches are lists, not rows; texts that several lists share are encoded once; and a loss sees
whole ragged lists with their tails and scores, which the trainers of sentence-transformers flatten to pairs or pad.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness.errors import UserError
from harness.plugins import Settings
from harness.students.base import freeze_lower
from harness.students.batches import micro_batches

if TYPE_CHECKING:
    import torch

    from harness.losses.base import Loss
    from harness.stage import Progress
    from harness.students.base import Reader, Student
    from harness.students.batches import ListTable

FILE = "losses.json"

_TORCH = threading.Lock()
"""Torch has one random generator and one switch for deterministic kernels: one training a process at a time."""


class TrainSettings(Settings):
    """How a student is trained."""

    epochs: int = Field(default=3, ge=1, description="how often every list is seen")
    learning_rate: float | None = Field(default=None, gt=0, description="peak; left out: 2e-5 for transformers, 3e-3 for static embeddings")
    batch: int = Field(
        default=16, ge=1, description="lists to an optimiser step, cut into smaller passes as memory wants it, with the same result"
    )
    warmup: float = Field(
        default=0.1, ge=0, le=1, description="share of the steps in which the learning rate rises; it then falls to 0, linearly"
    )
    weight_decay: float = Field(default=0.01, ge=0, description="of AdamW, not on biases and norms; static embeddings have none")
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm; static embeddings are not clipped")
    dropout: bool = Field(default=False, description="the checkpoint's own dropout; costs a third of the speed on a CPU")
    frozen_layers: int = Field(default=0, ge=0, description="above 0, the embeddings and this many lower layers stay as they are")
    in_batch: bool = Field(default=False, description="documents of the batch's other lists join each list as its unordered tail")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="of the passes; weights are float32. auto: what is faster here"
    )


@dataclass
class History:
    """What happened at each optimiser step."""

    epoch: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """``losses.json``: three lists of one number a step."""
        (folder / FILE).write_text(json.dumps(vars(self)), encoding="utf-8")


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Torch's random numbers from `seed`, deterministic kernels where there are any; all as before afterwards."""
    import torch

    switches: Any = torch.utils.deterministic
    with _TORCH, torch.random.fork_rng():
        before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        filling = switches.fill_uninitialized_memory
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Filling fresh memory is for finding bugs; it costs a sixth of a step here.
        switches.fill_uninitialized_memory = False
        try:
            yield
        finally:
            switches.fill_uninitialized_memory = filling
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def fit(student: Student, table: ListTable, loss: Loss, settings: TrainSettings, max_length: int, seed: int, progress: Progress) -> History:
    """Trains `student` on all lists of `table`, in place; call it inside `deterministic`.

    Batches are shuffled anew each epoch by a generator of its own seeded with `seed`. Raises UserError when the loss is no finite
    number, naming the step.
    """
    if settings.frozen_layers:
        freeze_lower(student.model, settings.frozen_layers)
    student.model.train(settings.dropout)
    reader = student.over(table, max_length)
    batches = list(_batches(len(table.lists), settings, seed))
    peak = settings.learning_rate or student.learning_rate
    optimisers = _optimisers(student.model, peak, settings.weight_decay)
    history = History()
    for step, (epoch, numbers) in enumerate(batches):
        rate = peak * _ramp(step, len(batches), settings.warmup)
        value = _backward(student, reader, table, loss, settings, numbers)
        if not np.isfinite(value):
            raise UserError(
                f"the loss is {value} at step {step + 1} of {len(batches)} (epoch {epoch + 1}, learning rate {rate:.3g})",
                remedy="take a smaller learning rate or a larger temperature",
            )
        _update(optimisers, rate, settings.clip)
        history.epoch.append(epoch)
        history.loss.append(value)
        history.learning_rate.append(rate)
        progress(step + 1, len(batches), "steps")
    student.model.eval()
    return history


def _batches(lists: int, settings: TrainSettings, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    generator = np.random.default_rng(seed)
    for epoch in range(settings.epochs):
        order = generator.permutation(lists)
        for start in range(0, lists, settings.batch):
            yield epoch, order[start : start + settings.batch]


def _ramp(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate: a line up over the warm-up, a line down to 0 behind it."""
    rising = int(steps * warmup)
    return (step + 1) / (rising + 1) if step < rising else (steps - step) / max(steps - rising, 1)


def _backward(student: Student, reader: Reader, table: ListTable, loss: Loss, settings: TrainSettings, numbers: np.ndarray) -> float:
    """Adds the gradient of the mean loss over the lists at `numbers`, pass by pass; returns that mean."""
    from harness.retrieval.precision import autocast, best_dtype

    precision = "fp32" if not student.halves else best_dtype() if settings.precision == "auto" else settings.precision
    total = 0.0
    for part in micro_batches(numbers, reader.sizes, None if settings.in_batch else reader.micro_tokens):
        batch = table.batch(part, student.device, settings.in_batch)
        with autocast(student.device, precision):
            scores = reader(batch)
        share = loss(scores, batch.target) * (len(part) / len(numbers))
        if share.requires_grad:
            share.backward()  # type: ignore[no-untyped-call]
        total += share.item()
    return total


def _optimisers(model: torch.nn.Module, rate: float, decay: float) -> list[torch.optim.Optimizer]:
    """AdamW for dense weights, SparseAdam for embedding tables with sparse gradients."""
    import torch

    sparse = [part.weight for part in model.modules() if isinstance(part, torch.nn.EmbeddingBag) and part.sparse]
    aside = {id(weight) for weight in sparse}
    dense = [weight for weight in model.parameters() if weight.requires_grad and id(weight) not in aside]
    optimisers: list[torch.optim.Optimizer] = []
    if sparse:
        optimisers.append(torch.optim.SparseAdam(sparse, lr=rate))
    if dense:
        groups = [
            {"params": [weight for weight in dense if weight.ndim > 1], "weight_decay": decay},
            {"params": [weight for weight in dense if weight.ndim < 2], "weight_decay": 0.0},
        ]
        optimisers.append(torch.optim.AdamW(groups, lr=rate, fused=True))
    return optimisers


def _update(optimisers: list[torch.optim.Optimizer], rate: float, clip: float) -> None:
    import torch

    for optimiser in optimisers:
        weights = [weight for group in optimiser.param_groups for weight in group["params"] if weight.grad is not None]
        if not isinstance(optimiser, torch.optim.SparseAdam):
            torch.nn.utils.clip_grad_norm_(weights, clip)
        for group in optimiser.param_groups:
            group["lr"] = rate
        if weights:
            optimiser.step()
        optimiser.zero_grad()
