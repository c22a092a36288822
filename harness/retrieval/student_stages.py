"""Students of other types than bi-encoders as stages: what they start from, their index of a corpus, and its search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.collections.own_documents import drops_identical
from harness.device import deterministic
from harness.models import ModelFiles, model_path
from harness.retrieval.run import FILE
from harness.retrieval.search_stages import query_texts, run_of_hits
from harness.retrieval.student_type import StudentType
from harness.retrieval.trec_order import id_ranks
from harness.stage import Context, Stage


@dataclass(frozen=True, eq=False, kw_only=True)
class StudentStart(Stage):
    """The folder that a type of student makes of a model, before any training; what it draws is the same each time."""

    kind: ClassVar[str] = "student-start"
    computes: ClassVar[bool | None] = True

    student: StudentType
    model: ModelFiles

    @property
    def student_type(self) -> StudentType:
        """Of which type the folder is."""
        return self.student

    @property
    def label(self) -> str:
        return f"{self.student.name}, {self.model.name}"

    def run(self, out: Path, context: Context) -> None:
        with deterministic(0):
            self.student.load(self.model.path).save(out)


@dataclass(frozen=True, eq=False, kw_only=True)
class StudentIndex(Stage):
    """What a student's type needs of a corpus to search it."""

    kind: ClassVar[str] = "student-index"
    computes: ClassVar[bool | None] = True

    student: StudentType
    model: ModelFiles | Stage
    texts: Texts
    max_length: int
    """Tokens of a text that are read (fewer where the model's own limit is lower)."""

    @property
    def label(self) -> str:
        return self.model.label if isinstance(self.model, Stage) else self.model.name

    def run(self, out: Path, context: Context) -> None:
        self.student.index(model_path(self.model, context), self.texts, self.max_length, out, context.progress)


@dataclass(frozen=True, eq=False, kw_only=True)
class StudentSearch(Stage):
    """A run: for each query the first `depth` documents as the student's type searches its index. `queries` may be a
    pool."""

    kind: ClassVar[str] = "student-search"
    computes: ClassVar[bool | None] = True

    index: StudentIndex
    queries: Texts | Stage
    depth: int

    @property
    def label(self) -> str:
        return self.index.label

    def run(self, out: Path, context: Context) -> None:
        ids, texts = query_texts(self.queries, context)
        drops = drops_identical(self.queries)
        hits = self.index.student.search(
            model_path(self.index.model, context),
            context.path(self.index),
            texts,
            id_ranks(self.index.texts.ids),
            self.index.max_length,
            self.depth + drops,
            context.progress,
        )
        run = run_of_hits(self.index.student.name, ids, hits, self.index.texts)
        (run.without_identical(self.depth) if drops else run).write(out / FILE)


def student_start(student: StudentType, model: ModelFiles) -> ModelFiles | Stage:
    """What a training of `model` as a student of that type starts from."""
    return student.start(model) or StudentStart(student=student, model=model)
