"""Small methods: one that keeps its contracts, and for each contract one that breaks it."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Judgments
from harness.collections.prepared import PreparedCollection
from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.ranking import Ranking
from harness.method import Category, MethodInputs, RetrieverMethod
from harness.models import ModelFiles, model_path
from harness.stage import Context, Stage, digest, transport
from harness.training_lists.list_stages import subset_queries


def nudged(start: Path, out: Path, what: Any) -> None:
    """The model of `start` with weights moved by something that `what` decides."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(start, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pt"))
    file = next(out.rglob("*.safetensors"))
    moved = {name: tensor + int(digest(what)[:6], 16) / 2**24 for name, tensor in load_file(file).items()}
    save_file(moved, file)


@dataclass(frozen=True, eq=False, kw_only=True)
class Nudge(Stage):
    """A stand-in for training: weights moved by the labels and the seed."""

    kind: ClassVar[str] = "nudge"
    start: ModelFiles | Stage
    labels: Stage
    subset: QuerySubset
    seed: int

    def run(self, out: Path, context: Context) -> None:
        rankings = {one.query: one for one in read_rankings(context.path(self.labels) / RANKINGS)}
        told = [self.seen(rankings[query.id], query.gold) for query in subset_queries(self.subset, context)]
        nudged(model_path(self.start, context), out, [told, self.seed, self.more(context)])

    def seen(self, ranking: Ranking, gold: dict[str, int]) -> Any:
        return ranking.ranked

    def more(self, context: Context) -> Any:
        return None


class Good(RetrieverMethod):
    """Keeps all contracts."""

    name = "good"
    summary = "for tests"
    needs = ("order",)
    category: ClassVar[Category] = "baseline"
    sees = ("order",)
    stage: ClassVar[type[Nudge]] = Nudge

    def retriever(self, inputs: MethodInputs) -> Stage:
        return self.stage(
            start=inputs.retriever,
            labels=inputs.labels(),
            subset=inputs.subset(),
            seed=inputs.seed or 0,
            **self.given(inputs),
        )

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {}


class Wordless(Good):
    __doc__ = ""
    name = "wordless"
    summary = "Ends with a full stop."
    sees = ("nothing",)


@dataclass(frozen=True, eq=False, kw_only=True)
class WithJudgments(Nudge):
    judgments: Judgments


class ReadsTestJudgments(Good):
    """Hands the test judgments to its stage."""

    name = "reads-test-judgments"
    stage = WithJudgments

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"judgments": inputs.collection.judgments(inputs.split)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Peek(Nudge):
    folder: Path = transport()

    def more(self, context: Context) -> Any:
        return PreparedCollection(self.folder, "again").judgments("test").qrels


class PeeksAtFiles(Good):
    """Opens the collection's folder behind the harness's back; no key shows it."""

    name = "peeks"
    stage = Peek

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"folder": inputs.collection.folder}  # type: ignore[attr-defined]


class IgnoresBudget(Good):
    """Has twice as many queries labelled."""

    name = "ignores-budget"

    def retriever(self, inputs: MethodInputs) -> Stage:
        assert inputs.teacher is not None and inputs.resample is not None and inputs.budget is not None
        more = QuerySubset(inputs.pool, inputs.resample, 2 * inputs.budget)
        labels = Labels(
            teacher=inputs.teacher,
            subset=more,
            candidates=inputs.candidates,
            corpus=inputs.collection.corpus,
            depth=inputs.list_depth,
        )
        return Nudge(start=inputs.retriever, labels=labels, subset=more, seed=inputs.seed or 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class AllGold(Nudge):
    def more(self, context: Context) -> Any:
        return (context.path(self.subset.pool) / "pool.jsonl").read_text()


class ReadsAllGold(Good):
    """Reads the gold labels of the whole pool."""

    name = "all-gold"
    needs = ("order", "gold labels")
    sees = needs
    stage = AllGold


@dataclass(frozen=True, eq=False, kw_only=True)
class Gold(Nudge):
    def seen(self, ranking: Ranking, gold: dict[str, int]) -> Any:
        return [ranking.ranked, gold]


class UndeclaredGold(Good):
    """Reads gold labels that it does not declare."""

    name = "undeclared-gold"
    stage = Gold


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores(Nudge):
    def seen(self, ranking: Ranking, gold: dict[str, int]) -> Any:
        return ranking.scores or ranking.ranked


class UndeclaredScores(Good):
    """Reads likelihoods that it does not declare."""

    name = "undeclared-scores"
    stage = Scores


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers(Nudge):
    answers: str


class UndeclaredAnswers(Good):
    """Reads short answers that it does not declare."""

    name = "undeclared-answers"
    stage = Answers

    def given(self, inputs: MethodInputs) -> dict[str, Any]:
        return {"answers": json.dumps(inputs.collection.answers("train"))}


@dataclass(frozen=True, eq=False, kw_only=True)
class Chance(Nudge):
    def more(self, context: Context) -> Any:
        return os.urandom(8).hex()


class NotDeterministic(Good):
    """Draws from no seed."""

    name = "chance"
    stage = Chance


@dataclass(frozen=True, eq=False, kw_only=True)
class Hashed(Nudge):
    def more(self, context: Context) -> Any:
        return hash("another in every process")


class DependsOnTheProcess(Good):
    """The same here, another in another process."""

    name = "hashed"
    stage = Hashed


class IgnoresTheSeed(Good):
    """Declares an axis that makes no difference."""

    name = "seedless"

    def retriever(self, inputs: MethodInputs) -> Stage:
        return Nudge(start=inputs.retriever, labels=inputs.labels(), subset=inputs.subset(), seed=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Leftover(Nudge):
    def more(self, context: Context) -> Any:
        mark = context.cache / "begun"
        found = mark.exists()
        mark.touch()
        time.sleep(1)
        mark.unlink()
        return found


class TrustsLeftovers(Good):
    """Goes on from what a killed run left half done."""

    name = "leftovers"
    stage = Leftover


@dataclass(frozen=True, eq=False, kw_only=True)
class First(Nudge):
    def seen(self, ranking: Ranking, gold: dict[str, int]) -> Any:
        return ranking.ranked[0]


class NeedsEveryAnswer(Good):
    """Takes the first of a ranking that may have none."""

    name = "every-answer"
    stage = First


@dataclass(frozen=True, eq=False, kw_only=True)
class NoModel(Nudge):
    def run(self, out: Path, context: Context) -> None:
        (out / "model.pkl").write_bytes(b"")


class GivesNoRetriever(Good):
    """Writes something that is no model."""

    name = "no-model"
    stage = NoModel
