"""One training from its start to its folder: in this process, or by a team of processes that accelerate connects."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.device import deterministic, devices
from harness.errors import UserError
from harness.ports import free_port
from harness.progress import silent
from harness.training.checkpoints import Checkpoint
from harness.training.process_group import SINGLE_PROCESS, ProcessGroup
from harness.training.train_settings import TrainSettings
from harness.training.training_loop import fit

if TYPE_CHECKING:
    import torch
    from torch.multiprocessing import SimpleQueue

    from harness.losses.spec import LossSpec
    from harness.progress import Progress
    from harness.students.student import Student
    from harness.training_lists.list_dataset import ListDataset
else:
    torch = lazy("torch")

spawn = lazy("torch.multiprocessing.spawn")


@dataclass(frozen=True)
class Training:
    """What is trained, on what and how; other processes can be given it, so `load` and `save` are functions of a module."""

    load: Callable[[], Student]
    save: Callable[[Student, Path], None]
    table: ListDataset
    loss: LossSpec
    settings: TrainSettings
    max_length: int
    seed: int

    def run(self, out: Path, checkpoint: Checkpoint, progress: Progress, team: ProcessGroup = SINGLE_PROCESS) -> None:
        """Writes the trained model and its loss curve into `out`; of a team, its first process does.

        A loss over the documents of a whole batch cannot be shared out, and tables with sparse gradients are not worth it: there the
        first process trains alone. With dropout a team's training that was interrupted does not end with the same bits.
        """
        with deterministic(self.seed):
            student = self.load()
            loss = self.loss.loss(student.temperature)
            if loss.in_batch or not student.supports_bf16:
                if team.rank:
                    return
                team = SINGLE_PROCESS
            history = fit(student, self.table, loss, self.settings, self.max_length, self.seed, progress, checkpoint, team)
        if team.rank == 0:
            self.save(student, out)
            history.write(out)


def train(training: Training, out: Path, checkpoint: Checkpoint, progress: Progress) -> None:
    """Runs `training` on as many devices as ``HARNESS_DEVICES`` says; the checkpoint goes once the model is written."""
    size = len(devices())
    if size == 1:
        training.run(out, checkpoint, progress)
    else:
        _together(training, out, checkpoint, progress, size)
    checkpoint.remove()


def _together(training: Training, out: Path, checkpoint: Checkpoint, progress: Progress, size: int) -> None:

    told: SimpleQueue[Any] = torch.multiprocessing.get_context("spawn").SimpleQueue()
    given = (training, out, checkpoint.file, told, size, free_port())
    # They end with this process, however it ends: torch asks the kernel for that.
    team: Any = spawn.start_processes(_work, given, nprocs=size, join=False, start_method="spawn")
    ended = False
    try:
        while not ended:
            ended = team.join(timeout=0.2)
            while not told.empty():
                message = told.get()
                if isinstance(message, UserError):
                    raise message
                progress(*message)
    finally:
        for process in team.processes:
            process.terminate()
            process.join()


def _work(place: int, training: Training, out: Path, file: Path, description: SimpleQueue[Any], size: int, port: int) -> None:
    """What one process of a team does."""
    from accelerate import PartialState

    where = {"RANK": place, "LOCAL_RANK": place, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in where.items()} | {"MASTER_ADDR": "127.0.0.1"})
    state = PartialState(cpu=not torch.cuda.is_available())
    first = place == 0
    try:
        training.run(out, Checkpoint(file, writes=first), partial(_tell, description) if first else silent, ProcessGroup(place, size))
        state.wait_for_everyone()
    except UserError as error:
        # The others met it too: it comes of what all of them know.
        if first:
            description.put(error)
    finally:
        state.destroy_process_group()


def _tell(description: SimpleQueue[Any], done: int, total: int, unit: str = "") -> None:
    description.put((done, total, unit))
