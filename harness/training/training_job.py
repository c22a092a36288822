"""One training from its start to its folder: in this process, or in a group of processes that accelerate connects."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.device import current_numerics, deterministic, devices
from harness.errors import UserError
from harness.numerics.active_numerics import using_numerics
from harness.numerics.numerics_class import Numerics
from harness.ports import free_port
from harness.progress import silent
from harness.training.checkpoint import Checkpoint
from harness.training.process_group import SINGLE_PROCESS, ProcessGroup
from harness.training.train_settings import TrainSettings
from harness.training.trainer import Trainer

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
class TrainingJob:
    """What is trained, on what and how; other processes can be given it, so `load` and `save` are functions of a
    module."""

    load: Callable[[], Student]
    save: Callable[[Student, Path], None]
    dataset: ListDataset
    loss: LossSpec
    settings: TrainSettings
    max_length: int
    seed: int

    def run(self, out: Path, checkpoint: Checkpoint, progress: Progress) -> None:
        """Writes the trained model and its loss curve into `out`, on as many devices as ``HARNESS_DEVICES`` says.

        The checkpoint goes once the model is written. With dropout a training on several devices that was interrupted
        does not end with the same bits.
        """
        world_size = len(devices())
        if world_size == 1:
            self.run_in_group(SINGLE_PROCESS, out, checkpoint, progress)
        else:
            _run_processes(self, out, checkpoint, progress, world_size)
        checkpoint.remove()

    def run_in_group(self, group: ProcessGroup, out: Path, checkpoint: Checkpoint, progress: Progress) -> None:
        """The part of one process of `group`; the first of them writes.

        A loss over the documents of a whole batch cannot be shared out, and static embeddings with sparse gradients are
        not worth it: there the first process trains on its own.
        """
        with deterministic(self.seed):
            student = self.load()
            loss = self.loss.loss(student.temperature)
            if loss.in_batch or not student.supports_bf16:
                if group.rank:
                    return
                group = SINGLE_PROCESS
            trainer = Trainer(
                student,
                self.dataset,
                loss,
                self.settings,
                max_length=self.max_length,
                seed=self.seed,
                group=group,
                checkpoint=checkpoint,
                progress=progress,
            )
            history = trainer.fit()
        if group.rank == 0:
            self.save(student, out)
            history.write(out)


def _run_processes(job: TrainingJob, out: Path, checkpoint: Checkpoint, progress: Progress, world_size: int) -> None:
    """Starts the processes of a group and waits for them, handing on their progress. Raises the UserError that they
    met."""
    messages: SimpleQueue[Any] = torch.multiprocessing.get_context("spawn").SimpleQueue()
    arguments = (job, out, checkpoint.file, messages, world_size, free_port(), current_numerics())
    # They end with this process, however it ends: torch asks the kernel for that.
    processes: Any = spawn.start_processes(_run_process, arguments, nprocs=world_size, join=False, start_method="spawn")
    ended = False
    try:
        while not ended:
            ended = processes.join(timeout=0.2)
            while not messages.empty():
                message = messages.get()
                if isinstance(message, UserError):
                    raise message
                progress(*message)
    finally:
        for process in processes.processes:
            process.terminate()
            process.join()


def _run_process(
    rank: int,
    job: TrainingJob,
    out: Path,
    file: Path,
    messages: SimpleQueue[Any],
    world_size: int,
    port: int,
    numerics: Numerics,
) -> None:
    """What one process of a group does."""
    from accelerate import PartialState

    variables = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": world_size,
        "LOCAL_WORLD_SIZE": world_size,
        "MASTER_PORT": port,
    }
    os.environ.update({name: str(value) for name, value in variables.items()} | {"MASTER_ADDR": "127.0.0.1"})
    state = PartialState(cpu=numerics.device == "cpu")
    first = rank == 0
    progress = partial(_send_progress, messages) if first else silent
    try:
        with using_numerics(numerics):
            job.run_in_group(ProcessGroup(rank, world_size), out, Checkpoint(file, writes=first), progress)
        state.wait_for_everyone()
    except UserError as error:
        # The others met it too: it comes of what all of them know.
        if first:
            messages.put(error)
    finally:
        state.destroy_process_group()


def _send_progress(messages: SimpleQueue[Any], done: int, total: int, unit: str = "") -> None:
    messages.put((done, total, unit))
