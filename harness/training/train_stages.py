"""Training as stages: a ranker or a retriever from training lists. Each artefact is a model folder that also holds
``losses.json``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.device import Resources
from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.method import document_model
from harness.models import ModelFiles, model_memory, model_path
from harness.retrieval.student_type import StudentType
from harness.stage import Context, Stage
from harness.students.architecture import Architecture
from harness.students.query_side import QueryEncoder
from harness.students.ranker import load_ranker, save_ranker
from harness.students.retriever import BiEncoder
from harness.students.student import Student, save_student
from harness.training.checkpoint import Checkpoint
from harness.training.train_settings import TrainSettings
from harness.training.training_job import TrainingJob
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.list_learning import ListLearning


def stage_checkpoint(stage: Stage, cache: Path) -> Checkpoint:
    """Where the training of `stage` goes on should it be killed; who runs a stage holds its lock, so no other writes
    there."""
    return Checkpoint(cache / "training" / f"{stage.key}.safetensors")


def training_resources(start: ModelFiles | Stage) -> Resources:
    """What a training takes that starts from `start`: weights, gradients, two moments, the best weights so far, and as
    much again for what a batch holds."""
    return Resources(memory=model_memory(start, copies=6), gpu=0.5)


def check_needs(loss: LossSpec, dataset: ListDataset) -> None:
    """Raises UserError when the lists of `dataset` lack what `loss` needs."""
    lacking = [need for need in loss.needs if need not in dataset.provides]
    if lacking:
        raise UserError(
            f"the loss '{loss}' needs {' and '.join(lacking)}, which these training lists do not carry",
            remedy=f"take a loss that needs no more than {' and '.join(dataset.provides) or 'nothing'}: harness list "
            "losses",
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class RankerStage(Stage):
    """What every stage that trains a ranker needs.

    The artefact loads with ``CrossEncoder(path)`` or ``SentenceTransformer(path)``, as the architecture is, and with
    `load_ranker`.
    """

    computes: ClassVar[bool | None] = True

    start: ModelFiles | Stage
    architecture: Architecture
    loss: LossSpec
    train: TrainSettings = field(default_factory=TrainSettings)
    seed: int = 0
    max_length: int = 128
    """Tokens of a pair for a cross-encoder, of a text for a bi-encoder."""

    @property
    def resources(self) -> Resources:
        return training_resources(self.start)

    def train_on(self, dataset: ListDataset, out: Path, context: Context) -> None:
        """Trains on `dataset` and writes the artefact."""
        check_needs(self.loss, dataset)
        load = partial(load_ranker, model_path(self.start, context), self.architecture)
        save = partial(save_ranker, architecture=self.architecture)
        job = TrainingJob(load, save, dataset, self.loss, self.train, self.max_length, self.seed)
        job.run(out, stage_checkpoint(self, context.cache), context.progress)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainRanker(ListLearning, RankerStage):
    """A ranker trained on lists."""

    kind: ClassVar[str] = "ranker"
    trains: ClassVar[bool] = True

    lists: Stage
    corpus: Texts

    @property
    def label(self) -> str:
        return f"{self.architecture}, {self.loss}, {self.lists.label}"

    def run(self, out: Path, context: Context) -> None:
        self.train_on(self.dataset(out, context), out, context)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainRetriever(ListLearning):
    """A retriever trained on lists. The artefact loads with ``SentenceTransformer(path)``.

    With `frozen_documents` only its query encoder learns, and documents keep the embeddings of the model it started
    from.
    """

    kind: ClassVar[str] = "retriever"
    trains: ClassVar[bool] = True

    start: ModelFiles | Stage
    lists: Stage
    corpus: Texts
    loss: LossSpec
    train: TrainSettings = field(default_factory=TrainSettings)
    seed: int = 0
    max_length: int = 128
    frozen_documents: bool = False

    @property
    def documents(self) -> ModelFiles | Stage:
        """The model whose embeddings of documents are this one's too."""
        return document_model(self.start) if self.frozen_documents else self

    @property
    def label(self) -> str:
        return f"{self.loss}, {self.lists.label}"

    @property
    def resources(self) -> Resources:
        return training_resources(self.start)

    def run(self, out: Path, context: Context) -> None:
        dataset = self.dataset(out, context)
        check_needs(self.loss, dataset)
        load = self.loader(model_path(self.start, context))
        job = TrainingJob(load, save_student, dataset, self.loss, self.train, self.max_length, self.seed)
        job.run(out, stage_checkpoint(self, context.cache), context.progress)

    def loader(self, start: Path) -> Callable[[], Student]:
        """What loads the student in the folder `start`; other processes can be given it."""
        return partial((QueryEncoder if self.frozen_documents else BiEncoder).load, start)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainTypedStudent(TrainRetriever):
    """`TrainRetriever` for a student of another type than a bi-encoder. The artefact loads with its type."""

    kind: ClassVar[str] = "student"

    student: StudentType

    @property
    def student_type(self) -> StudentType:
        """Of which type the retriever is."""
        return self.student

    def loader(self, start: Path) -> Callable[[], Student]:
        return partial(load_typed, self.student, start)


def load_typed(student: StudentType, folder: Path) -> Student:
    """The student that a type loads from `folder`. Raises UserError where that is none."""
    found = student.load(folder)
    if not isinstance(found, Student):
        raise UserError(
            f"load of the type '{student.name}' gives a {type(found).__name__}, which cannot be trained",
            remedy="return a Student of harness/students/student.py",
        )
    return found
