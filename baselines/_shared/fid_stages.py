"""The two stages of a reader that is trained along: it learns to answer, and its cross-attention scores candidates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from baselines._shared.fid_reader import Question, ReaderSettings, ReaderTokens, new_reader, train_reader
from harness.collections.collection import Texts
from harness.collections.sample import QuerySubset
from harness.device import Resources, deterministic
from harness.errors import UserError
from harness.labelling.labels.tasks import tasks_of
from harness.labelling.labels.teacher import Task
from harness.llm.local_weights import load_tokenizer
from harness.models import ModelFiles, model_memory
from harness.numerics.numerics_class import Numerics
from harness.stage import Context, Stage, keyed
from harness.teachers.attention.fid import cross_attention, load_reader
from harness.teachers.likelihood._ranking import by_score
from harness.teachers.likelihood.answer_label_stage import Answers
from harness.training.train_stages import stage_checkpoint
from harness.training_lists.list_stages import subset_queries
from harness.training_lists.training_list import from_rankings


@dataclass(frozen=True, eq=False, kw_only=True)
class ReaderStage(Stage):
    """What both stages read: the candidates of the labelled queries."""

    computes: ClassVar[bool | None] = True

    subset: QuerySubset = keyed("draw")
    candidates: Stage
    corpus: Texts
    depth: int
    how: ReaderSettings

    @property
    def computed_in(self) -> Numerics | None:
        """In float32, as the teacher of a given reader."""
        return self.numerics.at("fp32")

    def tasks(self, context: Context) -> list[Task]:
        """The labelled queries with their candidates."""
        pool, candidates = context.path(self.subset.pool), context.path(self.candidates)
        return tasks_of(self.subset, candidates, pool, self.corpus, self.depth, gold=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainReader(ReaderStage):
    """A T5 that learns to answer the labelled questions from their candidates. The artefact is a model folder that the
    teacher `fid` takes, too, with ``losses.json``."""

    kind: ClassVar[str] = "reader"
    trains: ClassVar[bool] = True

    start: ModelFiles | None
    """Random weights where None."""
    tokenizer: ModelFiles
    answers: Answers
    seed: int = 0

    @property
    def label(self) -> str:
        return f"fusion-in-decoder, {self.subset.size:,} questions"

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self.start or self.tokenizer, copies=6), gpu=0.5)

    def run(self, out: Path, context: Context) -> None:
        tokens = ReaderTokens(load_tokenizer(self.tokenizer.path), self.how.max_tokens, self.how.max_answer_tokens)
        first = self.answers.first
        asked = [task for task in self.tasks(context) if first.get(task.query, "").strip() and task.candidates]
        if not asked:
            raise UserError("none of the labelled queries has a short answer and candidates", remedy="label more")
        questions = [Question(tokens.passages(task), tokens.answer(first[task.query])) for task in asked]
        checkpoint = stage_checkpoint(self, context.cache)
        with deterministic(self.seed):
            model = new_reader(self.how, tokens, self.start.path if self.start else None)
            history = train_reader(model, questions, self.how, self.seed, checkpoint, context.progress)
        model.save_pretrained(out)
        tokens.tokenizer.save(str(out / "tokenizer.json"))
        history.write(out)
        checkpoint.remove()


@dataclass(frozen=True, eq=False, kw_only=True)
class ReaderLists(ReaderStage):
    """Training lists of the candidates, scored by how much a trained reader's first answer token attends to each."""

    kind: ClassVar[str] = "reader-lists"

    reader: TrainReader

    @property
    def label(self) -> str:
        return f"{self.subset.size:,} queries"

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self.reader, 1), gpu=0.5)

    def run(self, out: Path, context: Context) -> None:
        folder = context.path(self.reader)
        tokens = ReaderTokens(load_tokenizer(folder), self.how.max_tokens, self.how.max_answer_tokens)
        model, tasks, rankings = load_reader(folder).eval(), self.tasks(context), {}
        for number, task in enumerate(tasks, 1):
            scores = cross_attention(model, tokens.passages(task)) if task.candidates else []
            rankings[task.query] = by_score(task, scores)
            context.progress(number, len(tasks), "queries")
        from_rankings(subset_queries(self.subset, context), rankings).write(out)
