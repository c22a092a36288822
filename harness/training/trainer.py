"""The training of rankers and retrievers.

A plain torch loop rather than a Trainer of sentence-transformers: batches are lists, not rows; texts that several lists
share are encoded once; and a loss sees whole ragged lists with their tails and scores, which those trainers flatten to
pairs or pad.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import autocast, best_dtype
from harness.errors import UserError
from harness.progress import silent
from harness.students.lora import add_adapters
from harness.students.optimisers import rate_share, update_weights
from harness.students.student import freeze_layers
from harness.training.early_stopping import split_lists
from harness.training.process_group import SINGLE_PROCESS, ProcessGroup
from harness.training.trainer_state import TrainerState
from harness.training_lists.list_dataset import micro_batches

if TYPE_CHECKING:
    import torch

    from harness.losses.loss import Loss, Target
    from harness.numerics.numerics_class import Precision
    from harness.progress import Progress
    from harness.students.student import Student
    from harness.training.checkpoint import Checkpoint
    from harness.training.history import History
    from harness.training.train_settings import TrainSettings
    from harness.training_lists.list_dataset import Batch, ListDataset
else:
    torch = lazy("torch")


class Trainer:
    """Trains `student` on the lists of `dataset`, in place; make it and call `fit` inside `deterministic`.

    Batches are shuffled anew each epoch by a generator of its own seeded with `seed`. With a `checkpoint` the training
    goes on from there and writes its own; the caller removes it once the weights are safe. The processes of a `group`
    each have a trainer and end with the same weights. Raises UserError where the settings do not suit the student, or
    only one query is there to hold out.
    """

    def __init__(
        self,
        student: Student,
        dataset: ListDataset,
        loss: Loss,
        settings: TrainSettings,
        *,
        max_length: int,
        seed: int = 0,
        group: ProcessGroup = SINGLE_PROCESS,
        checkpoint: Checkpoint | None = None,
        progress: Progress = silent,
    ) -> None:
        self.student, self.dataset, self.loss, self.settings, self.group = student, dataset, loss, settings, group
        self._checkpoint, self._progress = checkpoint, progress
        if settings.frozen_layers:
            freeze_layers(student.model, settings.frozen_layers)
        self._merge_adapters = add_adapters(student, settings.lora)
        student.model.train(settings.dropout)
        self._scorer = student.bind(dataset, max_length)
        training, self._held_out = split_lists(dataset.query_rows, settings.stop, seed)
        self._batches = list(_batches(training, settings, seed))
        self._peak = settings.learning_rate or student.learning_rate
        self.state = TrainerState(student.model, student.device, student.optimisers(self._peak, settings.weight_decay))

    def fit(self) -> History:
        """All steps that are left, up to the last or to where it stops early. Raises UserError when a loss is no finite
        number."""
        checkpoint, stop = self._checkpoint, self.settings.stop
        if checkpoint is not None:
            self.state.restore(checkpoint.load())
        for number in range(len(self.state.history.step), len(self._batches)):
            if stop and self.state.checks_since_best >= stop.patience:
                break
            self.step(number)
            if checkpoint is not None and checkpoint.is_due:
                checkpoint.save(self.state.checkpoint_data())
            self._progress(number + 1, len(self._batches), "steps")
        if stop:
            self.state.restore_best()
        self._merge_adapters()
        self.student.model.eval()
        return self.state.history

    def step(self, number: int) -> None:
        """Optimiser step `number` (from 0), and the check of early stopping that may stand after it."""
        epoch, batch = self._batches[number]
        share = rate_share(number, len(self._batches), self.settings.warmup)
        mean = self._add_gradients(batch)
        self._require_finite(mean, number, share)
        self.state.history.add_step(epoch, mean, self._peak * share)
        update_weights(self.state.optimisers, share, self.settings.clip)
        stop = self.settings.stop
        if stop and stop.is_due(number, len(self._batches) // self.settings.epochs):
            held_out = self.evaluate(self._held_out)
            self._require_finite(held_out, number, share)
            self.state.add_check(held_out)

    def evaluate(self, numbers: np.ndarray) -> float:
        """The mean loss over the lists at `numbers`, batch by batch, without gradients or dropout."""
        parts = np.split(numbers, range(self.settings.batch, len(numbers), self.settings.batch))
        self.student.model.eval()
        with torch.no_grad():
            total = self.group.total(
                sum(len(part) * self._mean_share(self.group.share(part), len(part)) for part in parts)
            )
        self.student.model.train(self.settings.dropout)
        return total / len(numbers)

    def _add_gradients(self, batch: np.ndarray) -> float:
        """Adds the gradient of the mean loss over the lists at `batch`, of all processes; returns that mean."""
        mean = self.group.total(self._mean_share(self.group.share(batch), len(batch)))
        self.group.add_gradients(self.student.model)
        return mean

    def _mean_share(self, numbers: np.ndarray, total: int) -> float:
        """What the lists at `numbers` add to the mean loss of `total` lists, and to its gradient."""
        student, scorer, precision = self.student, self._scorer, self._precision()
        shares = []
        for part in micro_batches(numbers, scorer.list_tokens, None if self.loss.in_batch else scorer.micro_tokens):
            batch = self.dataset.batch(part, student.device, self.loss.in_batch)
            with autocast(student.device, precision):
                scores, target = self._scored(batch)
            if torch.is_grad_enabled() and not scores.requires_grad:
                raise UserError(
                    "nothing would be trained: no weight that the scores come of may change",
                    remedy="freeze fewer layers, or take a student with weights that learn",
                )
            share = self.loss(scores, target) * (len(part) / total)
            if share.requires_grad:
                share.backward()  # type: ignore[no-untyped-call]
            shares.append(share.detach())
        # Fetched at the end: each fetch waits for the device.
        return sum(share.item() for share in shares)

    def _scored(self, batch: Batch) -> tuple[torch.Tensor, Target]:
        """The student's scores of `batch`, and its target with the embeddings that the loss may need."""
        if "embeddings" not in self.loss.needed:
            return self._scorer(batch), batch.target
        scores, embeddings = self._scorer.score_with_embeddings(batch)
        return scores, replace(batch.target, student_embeddings=embeddings)

    def _precision(self) -> Precision:
        if not self.student.supports_bf16:
            return "fp32"
        return best_dtype() if self.settings.precision == "auto" else self.settings.precision

    def _require_finite(self, loss: float, number: int, share: float) -> None:
        """Raises UserError naming the step; its checkpoint goes, since it leads there again."""
        if math.isfinite(loss):
            return
        if self._checkpoint is not None:
            self._checkpoint.remove()
        epoch, _ = self._batches[number]
        raise UserError(
            f"the loss is {loss} at step {number + 1} of {len(self._batches)} (epoch {epoch + 1}, learning rate "
            f"{self._peak * share:.3g})",
            remedy="take a smaller learning rate or a larger temperature",
        )


def _batches(lists: np.ndarray, settings: TrainSettings, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    """The epoch of each step and the lists that it sees."""
    generator = np.random.default_rng(seed)
    for epoch in range(settings.epochs):
        order = lists[generator.permutation(len(lists))]
        for start in range(0, len(order), settings.batch):
            yield epoch, order[start : start + settings.batch]
