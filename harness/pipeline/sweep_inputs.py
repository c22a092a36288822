"""What a sweep names outside its file: collections, models, teachers. Each is loaded once; what is wrong has its place
in the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection
from harness.config.choices import StudentChoice, TeacherChoice
from harness.config.parts import DENSE
from harness.config.sweep_file import SweepFile
from harness.errors import UserError
from harness.evaluation.query_clusters import query_clusters
from harness.labelling.labels.teacher import Teacher
from harness.llm.chat_teacher import ONE_NAME, ChatTeacher
from harness.models import ModelFiles, resolve_model
from harness.pipeline.faults import FaultCollector
from harness.pipeline.pool_sizes import collect_budgets
from harness.pipeline.qa_cells import INLINE
from harness.pipeline.trial_selection import check_split
from harness.retrieval.student_stages import student_start
from harness.stage import Stage, digest
from harness.students.static_encoder import StaticStudent
from harness.validation import KeyPath


class SweepInputs:
    """Collections, models and teachers of one sweep. `opened` is what makes a collection of a spec, `server` gives the
    address that answers of a model came from so far."""

    def __init__(
        self, sweep: SweepFile, opened: Callable[[Any], Collection], server: Callable[[str], str | None]
    ) -> None:
        self.sweep = sweep
        self.base: Path = sweep.source.path.parent
        self._opened, self._server = opened, server
        self._collections: dict[str, Collection] = {}

    def check(self) -> None:
        """Loads everything. Raises UserErrors with all that is wrong, each with file, line and key."""
        faults, source = FaultCollector(self.sweep.source), self.sweep.source
        for spec in self.sweep.collections:
            path = source.where(("collections",), spec)
            with faults.at(path):
                collection = self.collection(spec)
                with faults.at(("evaluate", "split"), path):
                    collection.judgments(self.sweep.evaluate.split)
                with faults.at(("evaluate", "cluster"), path):
                    self._check_clusters(collection)
                with faults.at(("tune", "split"), path):
                    self._check_tuning(collection)
        start = ("students", "retriever")
        with faults.at((*start, "static"), (*start, "model"), start, ("students",)):
            _ = self.retriever
        with faults.at(("students", "ranker"), ("students",)):
            _ = self.ranker
        for engine in self.sweep.candidates.engines:
            if engine.startswith(DENSE):
                with faults.at(source.where(("candidates", "engine"), engine)):
                    self.encoder(engine)
        addresses: dict[tuple[str, str], tuple[str, str]] = {}
        for name, choice in self._choices.items():
            with faults.at(_path(name)):
                teacher = choice.plugin(choice.settings, self.base)
                if isinstance(teacher, ChatTeacher) and teacher.asked_at is not None:
                    self._check_address(name, teacher, addresses)
        if faults:
            for spec in self.sweep.collections:
                if (found := self._collections.get(digest(spec))) is not None:
                    collect_budgets(faults, self.sweep, spec, found)
        faults.finish()

    def _check_address(
        self, name: str, teacher: ChatTeacher, addresses: dict[tuple[str, str], tuple[str, str]]
    ) -> None:
        """Two servers are two teachers. `addresses` holds name and address by kind and model; raises UserError where
        the model is there, or was asked before, at another address."""
        assert teacher.asked_at is not None
        model, address = teacher.asked_at
        first, there = addresses.setdefault((teacher.name, model), (name, address))
        if there != address:
            raise UserError(
                f"'{teacher.model}' is asked at {address} here and at {there} by '{first}', and nothing tells the two "
                "apart: one's answers would be taken for the other's",
                key="revision",
                remedy="give each a revision of its own (revision: NAME); the same revision, if both are one model",
            )
        if not teacher.is_named and (before := self._server(model)) not in (None, address):
            raise UserError(
                f"answers of '{teacher.model}' in this workspace are from {before}, and {address} is another server: "
                "the name does not say whether it is another model",
                key="revision",
                remedy=ONE_NAME,
            )

    def _check_clusters(self, collection: Collection) -> None:
        evaluate = self.sweep.evaluate
        if evaluate.cluster is not None and evaluate.split in collection.splits:
            query_clusters(collection, evaluate.split, evaluate.cluster)

    def _check_tuning(self, collection: Collection) -> None:
        if self.sweep.tune and self.sweep.evaluate.split in collection.splits:
            check_split(collection, self.sweep.tune, self.sweep.evaluate.split)

    def collection(self, spec: Any) -> Collection:
        """The collection of `spec`, prepared."""
        mark = digest(spec)
        if mark not in self._collections:
            self._collections[mark] = self._opened(spec)
        return self._collections[mark]

    @cached_property
    def retriever(self) -> ModelFiles | Stage:
        """What retrievers start from."""
        student = self.sweep.students.retriever
        if isinstance(student, str):
            return resolve_model(student, self.base)
        if isinstance(student, StudentChoice):
            return student_start(student.student, resolve_model(student.model, self.base))
        return StaticStudent(encoder=resolve_model(student.static, self.base))

    @cached_property
    def ranker(self) -> ModelFiles:
        """What rankers start from."""
        return resolve_model(self.sweep.students.ranker, self.base)

    def encoder(self, engine: str) -> ModelFiles:
        """The model of a dense first stage, ``dense:MODEL``."""
        return resolve_model(engine.removeprefix(DENSE), self.base)

    @cached_property
    def teachers(self) -> dict[str, Teacher]:
        """The sweep's teachers by the names it gave them; a reader that is none of them by `INLINE`."""
        return {name: choice.plugin(choice.settings, self.base) for name, choice in self._choices.items()}

    @property
    def _choices(self) -> dict[str, TeacherChoice]:
        answers = self.sweep.evaluate.answers
        inline = {INLINE: answers.reader} if answers is not None and isinstance(answers.reader, TeacherChoice) else {}
        return {**self.sweep.teachers, **inline}


def _path(name: str) -> KeyPath:
    """Where the file has the teacher of that name."""
    return ("evaluate", "answers", "reader") if name == INLINE else ("teachers", name)
