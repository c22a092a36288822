"""The training loop of rankers and retrievers.

A plain torch loop rather than a Trainer: batches are lists, not rows; texts that several lists share are encoded once; and a loss sees
whole ragged lists with their tails and scores, which the trainers of sentence-transformers flatten to pairs or pad.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import UserError
from harness.students.lora import adapt
from harness.students.optimisers import ramp, update
from harness.students.student import freeze_lower
from harness.training.early_stopping import split
from harness.training.history import History
from harness.training.loss_step import LossStep, NotFinite
from harness.training.process_group import SINGLE_PROCESS, ProcessGroup
from harness.training.train_settings import TrainSettings
from harness.training.trainer_state import TrainerState

if TYPE_CHECKING:
    from harness.losses.loss import Loss
    from harness.progress import Progress
    from harness.students.student import Student
    from harness.training.checkpoints import Checkpoint
    from harness.training_lists.list_dataset import ListDataset


def fit(
    student: Student,
    table: ListDataset,
    loss: Loss,
    settings: TrainSettings,
    max_length: int,
    seed: int,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
    team: ProcessGroup = SINGLE_PROCESS,
) -> History:
    """Trains `student` on the lists of `table`, in place; call it inside `deterministic`.

    Batches are shuffled anew each epoch by a generator of its own seeded with `seed`. With a `checkpoint` the training goes on from
    there and writes its own; the caller removes it once the weights are safe. The processes of a `team` call it alike and end with the
    same weights. Raises UserError when a loss is no finite number, naming the step.
    """
    if settings.frozen_layers:
        freeze_lower(student.model, settings.frozen_layers)
    merge = adapt(student, settings.lora)
    student.model.train(settings.dropout)
    lesson = LossStep(student, student.bind(table, max_length), table, loss, settings, team)
    taught, held = split(table.query_rows, settings.stop, seed)
    batches = list(_batches(taught, settings, seed))
    peak = settings.learning_rate or student.learning_rate
    now = TrainerState(student.model, student.device, student.optimisers(peak, settings.weight_decay))
    if checkpoint is not None:
        now.restore(checkpoint.load())
    for step in range(len(now.history.step), len(batches)):
        if settings.stop and now.best.waited >= settings.stop.patience:
            break
        epoch, numbers = batches[step]
        share = ramp(step, len(batches), settings.warmup)
        try:
            now.history.add(epoch, lesson.backward(numbers), peak * share)
            update(now.optimisers, share, settings.clip)
            if settings.stop and settings.stop.due(step, len(batches) // settings.epochs):
                now.check(lesson.evaluate(held))
        except NotFinite as error:
            if checkpoint is not None:
                checkpoint.remove()
            raise UserError(
                f"the loss is {error} at step {step + 1} of {len(batches)} (epoch {epoch + 1}, learning rate {peak * share:.3g})",
                remedy="take a smaller learning rate or a larger temperature",
            ) from None
        if checkpoint is not None and checkpoint.due:
            checkpoint.save(now.state())
        progress(step + 1, len(batches), "steps")
    if settings.stop:
        now.keep_best()
    merge()
    student.model.eval()
    return now.history


def _batches(lists: np.ndarray, settings: TrainSettings, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    generator = np.random.default_rng(seed)
    for epoch in range(settings.epochs):
        order = lists[generator.permutation(len(lists))]
        for start in range(0, len(order), settings.batch):
            yield epoch, order[start : start + settings.batch]
