"""The training loop of rankers and retrievers.

A plain torch loop rather than a Trainer: batches are lists, not rows; texts that several lists share are encoded once; and a loss sees
whole ragged lists with their tails and scores, which the trainers of sentence-transformers flatten to pairs or pad.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from harness.errors import UserError
from harness.plugins import Settings
from harness.students.lora import LoRA, adapt
from harness.students.optimisers import ramp, update
from harness.students.student import freeze_lower
from harness.training.early_stopping import EarlyStopping, split
from harness.training.history import History
from harness.training.loss_step import Lesson, NotFinite
from harness.training.process_group import ALONE, Team
from harness.training.trainer_state import Standing

if TYPE_CHECKING:
    from harness.losses.loss import Loss
    from harness.stage import Progress
    from harness.students.student import Student
    from harness.training.checkpoints import Checkpoint
    from harness.training_lists.list_dataset import ListTable

_TORCH = threading.Lock()
"""Torch has one random generator and one switch for deterministic kernels: one training a process at a time."""


class TrainSettings(Settings):
    """How a student is trained."""

    epochs: int = Field(default=3, ge=1, description="how often every list is seen")
    learning_rate: float | None = Field(
        default=None, gt=0, description="peak; left out: 2e-5 for transformers (2e-4 with LoRA), 3e-3 for static embeddings"
    )
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
    lora: LoRA | None = Field(default=None, description="train low-rank adapters in place of the layers' weights; left out: the weights")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="of the passes; weights are float32. auto: what is faster here"
    )
    stop: EarlyStopping | None = Field(
        default=None, description="end early, with the weights that held-out queries like best; left out: never"
    )


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


def fit(
    student: Student,
    table: ListTable,
    loss: Loss,
    settings: TrainSettings,
    max_length: int,
    seed: int,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
    team: Team = ALONE,
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
    lesson = Lesson(student, student.over(table, max_length), table, loss, settings, team)
    taught, held = split(table.query_rows, settings.stop, seed)
    batches = list(_batches(taught, settings, seed))
    peak = settings.learning_rate or student.learning_rate
    now = Standing(student.model, student.device, student.optimisers(peak, settings.weight_decay))
    if checkpoint is not None:
        now.take_up(checkpoint.load())
    for step in range(len(now.history.step), len(batches)):
        if settings.stop and now.best.waited >= settings.stop.patience:
            break
        epoch, numbers = batches[step]
        share = ramp(step, len(batches), settings.warmup)
        try:
            now.history.add(epoch, lesson.learn(numbers), peak * share)
            update(now.optimisers, share, settings.clip)
            if settings.stop and settings.stop.due(step, len(batches) // settings.epochs):
                now.check(lesson.measure(held))
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
