"""The two stages of a reader that is trained along: it learns to answer, and its cross-attention scores candidates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from baselines._shared.fid_reader import Question, ReaderSettings, ReaderTokens, new_reader, train_reader
from harness.collections.collection import Texts
from harness.collections.sample import QuerySubset
from harness.device import Resources, deterministic
from harness.errors import UserError
from harness.llm.local_weights import load_tokenizer
from harness.models import ModelFiles, model_memory
from harness.numerics.numerics_class import Numerics
from harness.stage import Context, Stage, keyed
from harness.teachers.attention.fid import cross_attention, load_reader
from harness.teachers.likelihood.answer_label_stage import Answers
from harness.training.train_stages import stage_checkpoint
from harness.training_lists.list_stages import unordered_lists
from harness.training_lists.training_list import ListsBuilt, TrainingList, from_scores


@dataclass(frozen=True, eq=False, kw_only=True)
class ReaderStage(Stage):
    """What both stages read: the candidates of the labelled queries."""

    computes: ClassVar[bool | None] = True

    subset: QuerySubset = keyed("draw")
    candidates: Stage
    corpus: Texts
    depth: int
    how: ReaderSettings

    @cached_property
    def numerics(self) -> Numerics:
        """Float32, as the teacher of a given reader computes in, so that machines of either precision share it."""
        return super().numerics.at("fp32")

    def unordered(self, context: Context) -> ListsBuilt:
        """The labelled queries with their candidates."""
        return unordered_lists(self.subset, self.candidates, self.depth, context)

    def tokens(self, folder: Path) -> ReaderTokens:
        """How the model in `folder` reads."""
        return ReaderTokens(load_tokenizer(folder), self.how.max_tokens, self.how.max_answer_tokens)

    def passages(self, tokens: ReaderTokens, one: TrainingList) -> list[list[int]]:
        """The documents of a list with its question."""
        return tokens.passages(one.text, self.corpus.texts(one.documents))


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
        tokens, first = self.tokens(self.tokenizer.path), self.answers.first
        asked = [one for one in self.unordered(context).lists if first.get(one.query, "").strip()]
        if not asked:
            raise UserError("none of the labelled queries has a short answer and candidates", remedy="label more")
        questions = [Question(self.passages(tokens, one), tokens.answer(first[one.query])) for one in asked]
        checkpoint = stage_checkpoint(self, context.cache)
        with deterministic(self.seed):
            model = new_reader(self.how, tokens, self.start.path if self.start else None)
            peak = self.how.peak(self.start is not None)
            history = train_reader(model, questions, self.how, peak, self.seed, checkpoint, context.progress)
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
        model, tokens, built, scores = load_reader(folder).eval(), self.tokens(folder), self.unordered(context), []
        for number, one in enumerate(built.lists, 1):
            scores.append(cross_attention(model, self.passages(tokens, one)))
            context.progress(number, len(built.lists), "queries")
        ListsBuilt(from_scores(built.lists, scores).lists, built.dropped).write(out)
