"""Training lists that a ranker scores: candidates put in its order, or given lists whose order stays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.collections.sample import QuerySubset
from harness.device import Resources
from harness.models import ModelFiles, model_memory, model_path
from harness.stage import Context, Stage, keyed
from harness.students.architecture import Architecture
from harness.students.ranker import score_lists
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.list_stages import unordered_lists
from harness.training_lists.training_list import ListsBuilt, TrainingList, from_scores, read_lists


class RankerScoredLists(Stage):
    """Lists with a ranker's score for every document.

    Its fields are declared by each subclass: the order of a stage's inputs is that of its fields, and stands in
    manifests.
    """

    computes: ClassVar[bool | None] = True

    ranker: ModelFiles | Stage
    architecture: Architecture
    corpus: Texts
    max_length: int

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self.ranker, 2), gpu=0.5)

    @abstractmethod
    def unscored_lists(self, context: Context) -> ListsBuilt:
        """The lists to score."""

    @abstractmethod
    def scored_lists(self, lists: Sequence[TrainingList], scores: Sequence[Sequence[float]]) -> Sequence[TrainingList]:
        """The lists with `scores`, one a document."""

    def run(self, out: Path, context: Context) -> None:
        built = self.unscored_lists(context)
        scores = self.list_scores(built.lists, context)
        ListsBuilt(tuple(self.scored_lists(built.lists, scores)), built.dropped).write(out)

    def list_scores(self, lists: Sequence[TrainingList], context: Context) -> list[list[float]]:
        """The ranker's scores of the documents of every list."""
        dataset, start = ListDataset.of(lists, self.corpus), model_path(self.ranker, context)
        return score_lists(start, self.architecture, dataset, self.max_length, context.progress)


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoredLists(RankerScoredLists):
    """The lists as they are, with the ranker's scores."""

    kind: ClassVar[str] = "scored-lists"

    lists: Stage
    ranker: ModelFiles | Stage
    architecture: Architecture
    corpus: Texts
    max_length: int

    @property
    def label(self) -> str:
        return self.lists.label

    def unscored_lists(self, context: Context) -> ListsBuilt:
        return ListsBuilt(tuple(read_lists(context.path(self.lists))), {})

    def scored_lists(self, lists: Sequence[TrainingList], scores: Sequence[Sequence[float]]) -> Sequence[TrainingList]:
        return [replace(one, scores=tuple(row)) for one, row in zip(lists, scores, strict=True)]


@dataclass(frozen=True, eq=False, kw_only=True)
class CandidateScores(RankerScoredLists):
    """Candidate lists scored and ordered by the ranker; it needs no label, so `subset` may be larger than what was
    labelled."""

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

    def unscored_lists(self, context: Context) -> ListsBuilt:
        return unordered_lists(self.subset, self.candidates, self.depth, context)

    def scored_lists(self, lists: Sequence[TrainingList], scores: Sequence[Sequence[float]]) -> Sequence[TrainingList]:
        return from_scores(lists, scores).lists
