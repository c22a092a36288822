"""Small methods that look honest, and each see or pretend something: every one is caught by the contract that says
so."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Judgments, Texts
from harness.collections.prepared import PreparedCollection
from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import Teacher
from harness.method import MethodInputs
from harness.models import model_path
from harness.retrieval.run import FILE, Run
from harness.stage import Context, Stage, transport
from tests.plugin_checks.methods import Good, Nudge, Peek, PeeksAtFiles


@dataclass(frozen=True, eq=False, kw_only=True)
class Copy(Nudge):
    def run(self, out: Path, context: Context) -> None:
        shutil.copytree(model_path(self.start, context), out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pt"))


class CopiesTheStudent(Good):
    """Learns nothing, with a key that says otherwise."""

    name = "copies-the-student"
    stage = Copy


@dataclass(frozen=True, eq=False, kw_only=True)
class Seedless(Nudge):
    def run(self, out: Path, context: Context) -> None:
        Nudge(start=self.start, labels=self.labels, subset=self.subset, seed=0).run(out, context)


class IgnoresTheSeedInside(Good):
    """Hands the seed to its stage, which does without."""

    name = "seedless-inside"
    stage = Seedless


@dataclass(frozen=True, eq=False, kw_only=True)
class GoldFirst(Stage):
    kind: ClassVar[str] = "gold-first"
    first: Stage
    folder: Path = transport()

    def run(self, out: Path, context: Context) -> None:
        gold = PreparedCollection(self.folder, "again").judgments("test").qrels
        run = Run.read(context.path(self.first))
        scores = {
            query: {id: score + 100 * (id in gold[query]) for id, score in found.items()}
            for query, found in run.scores.items()
        }
        Run("gold", scores).write(out / FILE)


class RunPeeks(Good):
    """An honest retriever, and a run that puts the gold documents first."""

    name = "run-peeks"

    def run(self, inputs: MethodInputs) -> Stage:
        return GoldFirst(first=super().run(inputs), folder=inputs.collection.folder)  # type: ignore[attr-defined]


@dataclass(frozen=True, eq=False, kw_only=True)
class WithDev(Nudge):
    judgments: Judgments

    def more(self, context: Context) -> Any:
        return self.judgments.qrels


class DevGold(Good):
    """Trains on the gold labels of the dev split, undeclared."""

    name = "dev-gold"
    stage = WithDev

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"judgments": inputs.collection.judgments("dev")}


@dataclass(frozen=True, eq=False, kw_only=True)
class WithAnswers(Nudge):
    answers: str

    def more(self, context: Context) -> Any:
        return self.answers


class AllAnswers(Good):
    """Reads the answers of all training queries, whatever the budget."""

    name = "all-answers"
    needs = ("order", "answers")  # type: ignore[assignment]
    sees = needs
    stage = WithAnswers

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"answers": json.dumps(inputs.collection.answers("train"))}


@dataclass(frozen=True, eq=False, kw_only=True)
class PeekAnswers(Peek):
    def more(self, context: Context) -> Any:
        return json.dumps(PreparedCollection(self.folder, "again").answers("train"))


class AnswersFromFiles(Good):
    """Reads short answers that it does not declare, past the harness."""

    name = "answers-from-files"
    stage = PeekAnswers

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"folder": inputs.collection.folder}  # type: ignore[attr-defined]


@dataclass(frozen=True, eq=False, kw_only=True)
class SecondTeacher(Nudge):
    teacher: Teacher
    candidates: Stage
    corpus: Texts

    def more(self, context: Context) -> Any:
        bigger = QuerySubset(self.subset.pool, self.subset.resample, 3 * self.subset.size)
        copied = type(self.teacher)(self.teacher._how)  # type: ignore[attr-defined]
        labels = Labels(teacher=copied, subset=bigger, candidates=self.candidates, corpus=self.corpus, depth=5)
        tasks = labels.tasks(context.path(bigger.pool), context.path(self.candidates))
        return [ranking.ranked for ranking in copied.label(tasks, context.ledger, context.progress)]


class CopiesTheTeacher(Good):
    """A second teacher labels three times the budget inside its own stage."""

    name = "copies-the-teacher"
    stage = SecondTeacher

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"teacher": inputs.teacher, "candidates": inputs.candidates, "corpus": inputs.collection.corpus}


_KEPT: dict[str, Any] = {}


@dataclass(frozen=True, eq=False, kw_only=True)
class Remember(Peek):
    def more(self, context: Context) -> Any:
        if "gold" not in _KEPT:
            _KEPT["gold"] = super().more(context)
        return _KEPT["gold"]


class RemembersTestGold(PeeksAtFiles):
    """Reads the test judgments once a process and never again."""

    name = "remembers-test-gold"
    stage = Remember


@dataclass(frozen=True, eq=False, kw_only=True)
class KeepInFile(Nudge):
    def more(self, context: Context) -> Any:
        file = Path(os.environ["CONTRACTS_STATE"])
        if not file.is_file():
            file.write_text(os.urandom(8).hex())
        return file.read_text()


class KeepsStateInAFile(Good):
    """The first run draws a number and keeps it beside the workspace; every later one reads it."""

    name = "keeps-state"
    stage = KeepInFile


@dataclass(frozen=True, eq=False, kw_only=True)
class FirstQuery(Stage):
    kind: ClassVar[str] = "first-query"
    first: Stage

    def run(self, out: Path, context: Context) -> None:
        run = Run.read(context.path(self.first))
        Run("one", dict([*run.scores.items()][:1])).write(out / FILE)


class DropsQueries(Good):
    """Its run holds the one query that went well."""

    name = "drops-queries"

    def run(self, inputs: MethodInputs) -> Stage:
        return FirstQuery(first=super().run(inputs))
