"""Training as stages: a ranker or a retriever from training lists. Each artefact is a model folder that also holds ``losses.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from harness.collections.base import Texts
from harness.losses.spec import LossSpec
from harness.models import ModelFiles, model_path
from harness.stage import Context, Stage
from harness.students.batches import ListTable
from harness.students.lists import read_lists
from harness.students.ranker import Architecture, load_ranker, save_ranker
from harness.students.train import TrainSettings, deterministic, fit


@dataclass(frozen=True, eq=False, kw_only=True)
class RankerStage(Stage):
    """What every stage that trains a ranker needs.

    The artefact loads with ``CrossEncoder(path)`` or ``SentenceTransformer(path)``, as the architecture is, and with `load_ranker`.
    """

    start: ModelFiles | Stage
    architecture: Architecture
    loss: LossSpec
    train: TrainSettings = field(default_factory=TrainSettings)
    seed: int = 0
    max_length: int = 128
    """Tokens of a pair for a cross-encoder, of a text for a bi-encoder."""

    def fit(self, table: ListTable, out: Path, context: Context) -> None:
        """Trains on `table` and writes the artefact."""
        with deterministic(self.seed):
            ranker = load_ranker(model_path(self.start, context), self.architecture)
            loss = self.loss.loss(ranker.temperature)
            history = fit(ranker, table, loss, self.train, self.max_length, self.seed, context.progress)
        save_ranker(ranker, self.architecture, out)
        history.write(out)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainRanker(RankerStage):
    """A ranker trained on lists."""

    kind: ClassVar[str] = "ranker"

    lists: Stage
    corpus: Texts

    @property
    def label(self) -> str:
        return f"{self.architecture}, {self.loss.name}, {self.lists.label}"

    def run(self, out: Path, context: Context) -> None:
        self.fit(ListTable.of(read_lists(context.path(self.lists)), self.corpus), out, context)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainRetriever(Stage):
    """A retriever trained on lists. The artefact loads with ``SentenceTransformer(path)``."""

    kind: ClassVar[str] = "retriever"

    start: ModelFiles | Stage
    lists: Stage
    corpus: Texts
    loss: LossSpec
    train: TrainSettings = field(default_factory=TrainSettings)
    seed: int = 0
    max_length: int = 128

    @property
    def label(self) -> str:
        return f"{self.loss.name}, {self.lists.label}"

    def run(self, out: Path, context: Context) -> None:
        from harness.students.retriever import BiEncoder

        table = ListTable.of(read_lists(context.path(self.lists)), self.corpus)
        with deterministic(self.seed):
            student = BiEncoder.load(model_path(self.start, context))
            loss = self.loss.loss(student.temperature)
            history = fit(student, table, loss, self.train, self.max_length, self.seed, context.progress)
        student.save(out)
        history.write(out)
