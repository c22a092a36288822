"""Training lists that a ranker scores: candidates put in its order, or given lists whose order stays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.collections.sample import QuerySubset
from harness.device import deterministic
from harness.models import ModelFiles, model_path
from harness.stage import Context, Stage, keyed
from harness.students.architecture import Architecture
from harness.students.ranker import load_ranker
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.list_stages import candidate_lists, subset_queries
from harness.training_lists.training_list import ListsBuilt, TrainingList, from_scores, read_lists


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoredLists(Stage):
    """The lists as they are, with the ranker's score for every document."""

    kind: ClassVar[str] = "scored-lists"

    lists: Stage
    ranker: ModelFiles | Stage
    architecture: Architecture
    corpus: Texts
    max_length: int

    @property
    def label(self) -> str:
        return self.lists.label

    def run(self, out: Path, context: Context) -> None:

        lists = read_lists(context.path(self.lists))
        # A cross-encoder that was never trained draws its head here.
        with deterministic(0):
            ranker = load_ranker(model_path(self.ranker, context), self.architecture)
            scores = ranker.bind(ListDataset.of(lists, self.corpus), self.max_length).score_all(context.progress)
        ListsBuilt(tuple(replace(one, scores=tuple(row.tolist())) for one, row in zip(lists, scores, strict=True)), {}).write(out)


@dataclass(frozen=True, eq=False, kw_only=True)
class CandidateScores(Stage):
    """Candidate lists scored and ordered by a ranker; it needs no label, so `draw` may be larger than what was labelled."""

    kind: ClassVar[str] = "ranker-scores"

    ranker: ModelFiles | Stage
    architecture: Architecture
    subset: QuerySubset = keyed("draw")
    candidates: Stage
    corpus: Texts
    depth: int
    max_length: int

    @property
    def label(self) -> str:
        return f"{self.subset.size:,} queries"

    @property
    def priority(self) -> int:
        return self.subset.size

    def run(self, out: Path, context: Context) -> None:

        lists, dropped = self._candidates(context)
        table = ListDataset.of(lists, self.corpus)
        # A cross-encoder that was never trained draws its head here.
        with deterministic(0):
            ranker = load_ranker(model_path(self.ranker, context), self.architecture)
            scores = ranker.bind(table, self.max_length).score_all(context.progress)
        ListsBuilt(from_scores(lists, [row.tolist() for row in scores]).lists, dropped).write(out)

    def _candidates(self, context: Context) -> tuple[list[TrainingList], Counter[str]]:
        queries = subset_queries(self.subset, context)
        found = candidate_lists(queries, self.candidates, self.depth, context)
        enough = [query for query in queries if len(found[query.id]) > 1]
        lists = [TrainingList(query.id, query.text, tuple(found[query.id]), 0) for query in enough]
        return lists, Counter({"with fewer than two candidates": len(queries) - len(enough)} if len(enough) < len(queries) else {})
