"""Where a sweep has a reader: the stages that end a cell then, and the cells that its answers are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.config.cells import Cell
from harness.errors import UserError
from harness.evaluation.metrics.answer_metrics import needs_reader
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.method import MethodInputs
from harness.plugins import Settings
from harness.qa.answer_stages import Answered, Read
from harness.qa.gold_answers import GoldAnswers
from harness.qa.reader import reader
from harness.qa.reference_runs import ClosedBook, GoldPassage
from harness.stage import Stage
from harness.teachers.make import teacher_from

if TYPE_CHECKING:
    from harness.config.choices import CollectionChoice
    from harness.config.qa_section import QASettings
    from harness.config.registries import SweepSource
    from harness.config.sweep_file import SweepFile
    from harness.labelling.labels.teacher import Teacher
    from harness.llm.chat_teacher import ChatTeacher

INLINE = "evaluate.answers.reader"
"""What a reader is called that is no teacher of the sweep."""


@dataclass(frozen=True)
class AnswerEvaluation:
    """What comes after a cell's run: `answering` as the sweep says it; `reader` is None where only hits are looked
    for."""

    answering: QASettings
    reader: ChatTeacher | None
    metrics: tuple[str, ...]
    """All that are reported, in their order."""

    def last_stage(self, inputs: MethodInputs, run: Stage, ranking: Evaluate | None) -> Answered:
        """The stage that scores answers beside `ranking`, the run's own values, or alone."""
        collection, gold = inputs.collection, GoldAnswers.of(inputs.collection, inputs.split)
        mine = self.metrics if ranking is not None else tuple(name for name in self.metrics if needs_reader(name))
        return Answered(
            source=run,
            read=self._read(inputs, run, gold) if any(map(needs_reader, mine)) else None,
            ranking=ranking,
            judgments=collection.judgments(inputs.split),
            gold=gold,
            corpus=collection.corpus,
            metrics=mine,
        )

    def _read(self, inputs: MethodInputs, run: Stage, gold: GoldAnswers) -> Read:
        assert self.reader is not None, "the sweep file is checked"
        queries, corpus = inputs.collection.queries(inputs.split), inputs.collection.corpus
        return Read(
            reader=self.reader, source=run, queries=queries, gold=gold, corpus=corpus, passages=self.answering.passages
        )

    def references(
        self, collection: CollectionChoice, inputs_of: Callable[[Cell], MethodInputs]
    ) -> Iterator[tuple[Cell, MethodInputs, Stage]]:
        """The cells of `collection` that read nothing, and the judged passages: each with its inputs and its run."""
        if not (self.answering.references and any(map(needs_reader, self.metrics))):
            return
        closed, opened = (
            Cell(collection, method, Settings(), method.name, None, None, None, None)
            for method in (ClosedBook, GoldPassage)
        )
        inputs = inputs_of(closed)
        yield closed, inputs, ClosedBook(closed.settings).run(inputs)
        # Boards keep apart what saw the judgments: the row of an oracle has no place.
        yield opened, replace(inputs, teacher=_oracle()), GoldPassage(opened.settings).run(inputs)


def answer_evaluation(sweep: SweepFile, teachers: Mapping[str, Teacher]) -> AnswerEvaluation | None:
    """None where the sweep asks for no answers. Raises UserError for a reader that cannot read."""
    answering = sweep.evaluate.answers
    if answering is None:
        return None
    reader = None
    if answering.reader is not None:
        named = answering.reader if isinstance(answering.reader, str) else INLINE
        reader = _reader(answering, teachers[named], sweep.source)
    return AnswerEvaluation(answering, reader, sweep.evaluate.reported)


def _reader(answering: QASettings, teacher: Teacher, source: SweepSource) -> ChatTeacher:

    try:
        return reader(teacher, source.path.parent, answering.prompt, answering.closed_book_prompt)
    except UserError as error:
        raise source.at(error, ("evaluate", "answers")) from error


def _oracle() -> Teacher:

    return teacher_from({"kind": "oracle"})
