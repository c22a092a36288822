"""The chain from a teacher's labels to a retriever, read off the stages of a run: whatever method put them together.

Backwards from the run: a search whose model was trained, the lists that this was trained on, the ranker that scored
these, the lists that it was trained on, the labels that these are made of. Lists may go through any number of stages
that change them; a search, a model or labels end the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.collections.pool import Pool
from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_stage import Labels
from harness.models import ModelFiles
from harness.retrieval.search_stages import DenseSearch, Embed, Interleave, LexicalIndex, LexicalSearch
from harness.retrieval.student_stages import StudentIndex
from harness.stage import Stage
from harness.students.architecture import Architecture
from harness.students.projection_scores import ProjectionScores
from harness.students.ranker_scored_lists import CandidateScores, RankerScoredLists
from harness.students.rerank_stages import Rerank
from harness.training.projection_stage import TrainProjection
from harness.training.train_stages import RankerStage, TrainRetriever
from harness.training_lists.list_stages import GoldLists, RankedLists

_ENDS = (Pool, LexicalIndex, LexicalSearch, Interleave, Embed, DenseSearch, Labels)
"""What lists are made from, and are no lists."""


@dataclass(frozen=True)
class RankerModel:
    """A ranker and how it reads."""

    model: ModelFiles | Stage
    architecture: Architecture
    max_length: int
    embeddings: Embed | None
    """Those of its encoder, where that stays as it is and they are there."""

    @property
    def mark(self) -> tuple[str, str, int, str | None]:
        """The same for rankers of equal content, whichever cell asks for them."""
        content = self.model.key if isinstance(self.model, Stage) else self.model.identity
        return content, self.architecture, self.max_length, None if self.embeddings is None else self.embeddings.key

    @property
    def label(self) -> str:
        """A few words for people."""
        return self.model.label if isinstance(self.model, Stage) else f"{self.architecture}, untrained"


@dataclass(frozen=True)
class DrawnCandidates:
    """Training queries and the first `depth` of their candidates, which lists are made of."""

    subset: QuerySubset
    candidates: Stage
    depth: int

    @property
    def mark(self) -> tuple[str, int, int, str, int]:
        """The same for equal candidates of equal queries."""
        subset = self.subset
        return subset.pool.key, subset.resample, subset.size, self.candidates.key, self.depth


@dataclass(frozen=True)
class DistillationChain:
    """What lies between a teacher and a retriever; None is what a method does not have."""

    orders: RankedLists | None
    """The teacher's lists that trained the ranker, or the retriever itself."""
    ranker: RankerModel | None
    scores: RankerScoredLists | None
    """The ranker's lists that trained the retriever."""
    student: TrainRetriever | None
    search: DenseSearch | None
    """Of the student; its embeddings are those of the run."""

    @property
    def labels(self) -> Labels | None:
        """What the teacher's lists are made of."""
        labels = self.orders.labels if self.orders is not None else None
        return labels if isinstance(labels, Labels) else None


def chain_of(run: Stage) -> DistillationChain | None:
    """The chain behind `run`; None where neither a ranker's scores nor a teacher's order trained anything in it."""
    search = next((stage for stage in _walk(run) if isinstance(stage, (DenseSearch, StudentIndex))), None)
    return chain_to(run, None if search is None else search.model)


def chain_to(run: Stage, model: ModelFiles | Stage | None) -> DistillationChain | None:
    """The chain that ends with the retriever `model`, which `run` searches as it is or under another name; with the
    ranker of `run` where that was not trained."""
    search = next((stage for stage in _walk(run) if isinstance(stage, DenseSearch)), None)
    student = model if isinstance(model, TrainRetriever) else None
    lists = None if student is None else _first_lists(student.lists)
    scores = lists if isinstance(lists, RankerScoredLists) else None
    scoring = run if student is None and isinstance(run, Rerank) else scores
    ranker = None if scoring is None else _ranker_of(scoring)
    orders = lists if isinstance(lists, RankedLists) else _orders_of(ranker)
    if orders is None and scores is None:
        return None
    return DistillationChain(orders, ranker, scores, student if lists else None, search if lists else None)


def drawn_candidates(lists: Stage) -> DrawnCandidates | None:
    """What `lists`, as a ranker scores them, are made of; None where that is no draw from a pool."""
    for stage in _walk(lists):
        if isinstance(stage, (CandidateScores, GoldLists)):
            return DrawnCandidates(stage.subset, stage.candidates, stage.depth)
        if isinstance(stage, RankedLists) and isinstance(stage.labels, Labels):
            return DrawnCandidates(stage.subset, stage.labels.candidates, stage.labels.depth)
    return None


def _ranker_of(scoring: RankerScoredLists | Rerank) -> RankerModel:
    model = scoring.ranker
    known = (one.embeddings for one in (scoring, model) if isinstance(one, (ProjectionScores, TrainProjection)))
    return RankerModel(model, scoring.architecture, scoring.max_length, next(known, None))


def _orders_of(ranker: RankerModel | None) -> RankedLists | None:
    if ranker is None or not isinstance(ranker.model, RankerStage):
        return None
    found = (lists for needed in ranker.model.inputs() if (lists := _first_lists(needed)) is not None)
    return next((lists for lists in found if isinstance(lists, RankedLists)), None)


def _first_lists(lists: Stage) -> RankedLists | RankerScoredLists | None:
    return next((one for one in _walk(lists) if isinstance(one, (RankedLists, RankerScoredLists))), None)


def _walk(start: Stage) -> Iterator[Stage]:
    """`start` and what it rests on, nearest first; nothing behind a search, a model or labels."""
    waiting, seen = [start], set[str]()
    while waiting:
        stage = waiting.pop(0)
        if stage.key in seen:
            continue
        seen.add(stage.key)
        yield stage
        if not isinstance(stage, _ENDS) and not stage.trains:
            waiting += stage.inputs()
