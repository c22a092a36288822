"""The loss of lists, pass by pass: to learn from it, or to measure it only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import autocast, best_dtype
from harness.training.process_group import SINGLE_PROCESS, ProcessGroup
from harness.training_lists.list_dataset import micro_batches

if TYPE_CHECKING:
    import torch

    from harness.losses.loss import Loss
    from harness.students.student import ListScorer, Student
    from harness.training.train_settings import TrainSettings
    from harness.training_lists.list_dataset import ListDataset
else:
    torch = lazy("torch")


class NotFinite(ArithmeticError):
    """A loss is infinite or no number; it is the message."""


@dataclass(frozen=True)
class LossStep:
    """A student before the lists it is to learn."""

    student: Student
    reader: ListScorer
    table: ListDataset
    loss: Loss
    settings: TrainSettings
    team: ProcessGroup = SINGLE_PROCESS

    def backward(self, numbers: np.ndarray) -> float:
        """Adds the gradient of the mean loss over the lists at `numbers`; returns that mean. Raises NotFinite."""
        mean = self.team.total(self._share(self.team.share(numbers), len(numbers)))
        self.team.add_gradients(self.student.model)
        return _finite(mean)

    def evaluate(self, numbers: np.ndarray) -> float:
        """The mean loss over the lists at `numbers`, batch by batch, without gradients or dropout. Raises NotFinite."""

        parts = np.split(numbers, range(self.settings.batch, len(numbers), self.settings.batch))
        self.student.model.eval()
        with torch.no_grad():
            total = self.team.total(sum(len(part) * self._share(self.team.share(part), len(part)) for part in parts))
        self.student.model.train(self.settings.dropout)
        return _finite(total / len(numbers))

    def _share(self, numbers: np.ndarray, total: int) -> float:
        """What the lists at `numbers` add to the mean loss of `total` lists, and to its gradient."""

        settings, student, reader = self.settings, self.student, self.reader
        precision = "fp32" if not student.supports_bf16 else best_dtype() if settings.precision == "auto" else settings.precision
        shares = []
        for part in micro_batches(numbers, reader.sizes, None if self.loss.in_batch else reader.micro_tokens):
            batch = self.table.batch(part, student.device, self.loss.in_batch)
            with autocast(student.device, precision):
                scores = reader(batch)
            share = self.loss(scores, batch.target) * (len(part) / total)
            if share.requires_grad:
                share.backward()  # type: ignore[no-untyped-call]
            shares.append(share.detach())
        # Read at the end: each reading waits for the device.
        return sum(share.item() for share in shares)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise NotFinite(value)
    return value
