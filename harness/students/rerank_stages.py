"""Re-ranking as stages: the first documents of a run in a ranker's or a teacher's order, the rest after them as they
stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.device import Resources
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS
from harness.models import ModelFiles, model_memory, model_path
from harness.retrieval.run import FILE, Run
from harness.stage import Context, Stage, keyed
from harness.students.architecture import Architecture
from harness.students.ranker import score_lists
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import TrainingList


@dataclass(frozen=True, eq=False, kw_only=True)
class Rerank(Stage):
    """A run: the first `presented` documents of every query in the order of the ranker's scores."""

    kind: ClassVar[str] = "rerank"
    computes: ClassVar[bool | None] = True

    ranker: ModelFiles | Stage
    architecture: Architecture
    first: Stage
    """The run to re-rank."""
    queries: Texts
    corpus: Texts
    presented: int = keyed("shown")
    max_length: int

    @property
    def label(self) -> str:
        return f"{self.presented} of {self.first.label}"

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self.ranker, 2), gpu=0.5)

    def run(self, out: Path, context: Context) -> None:
        first = Run.read(context.path(self.first))
        texts = dict(zip(self.queries.ids, self.queries.slice_texts(0, len(self.queries)), strict=True))
        lists = [
            TrainingList(query, texts[query], tuple(top), 0)
            for query in texts
            if (top := first.top(query, self.presented))
        ]
        runs = {}
        for one, scores in zip(lists, self.list_scores(lists, context), strict=True):
            ranked = dict(zip(one.documents, scores, strict=True))
            runs[one.query] = ranked | scores_below(first.top(one.query)[len(ranked) :], min(ranked.values()))
        Run("rerank", runs).write(out / FILE)

    def list_scores(self, lists: Sequence[TrainingList], context: Context) -> list[list[float]]:
        """The ranker's scores of the documents of every list."""
        dataset, start = ListDataset.of(lists, self.corpus), model_path(self.ranker, context)
        return score_lists(start, self.architecture, dataset, self.max_length, context.progress)


@dataclass(frozen=True, eq=False, kw_only=True)
class TeacherRerank(Stage):
    """A run: the documents that a teacher ordered, then those it left unranked and those it was not given, both as they
    stood."""

    kind: ClassVar[str] = "teacher-rerank"

    labels: Stage
    first: Stage

    @property
    def label(self) -> str:
        return self.labels.label

    def run(self, out: Path, context: Context) -> None:
        first = Run.read(context.path(self.first))
        ranked = {ranking.query: ranking.ranked for ranking in read_rankings(context.path(self.labels) / RANKINGS)}
        runs = {query: scores_below(put_first(ranked.get(query, ()), first.top(query)), 0.0) for query in first.scores}
        Run("teacher-rerank", runs).write(out / FILE)


def put_first(ranked: Sequence[str], documents: Sequence[str]) -> list[str]:
    """`ranked` first, then the other `documents` in their own order."""
    return [*ranked, *(document for document in documents if document not in set(ranked))]


def scores_below(documents: Sequence[str], lowest: float) -> dict[str, float]:
    """Scores that keep `documents` in their order, all below `lowest`."""
    return {document: lowest - place for place, document in enumerate(documents, 1)}
