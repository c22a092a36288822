"""Lists of training queries that a model did not learn from: those that come next in the draw.

A draw is a shuffle, so what comes next is a sample by lot, the same for every model that learnt the same queries.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import ClassVar, Protocol

from harness.collections.collection import Texts
from harness.collections.crops import TrainingQuery
from harness.collections.pool import read_pool
from harness.collections.sample import QuerySubset
from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.ranking import Ranking
from harness.ledger.views import CacheMiss, ReplayLedger
from harness.models import ModelFiles, model_path
from harness.retrieval.search_stages import Embed
from harness.stage import Context, Stage
from harness.students.architecture import Architecture
from harness.students.projection_scores import projected_scores
from harness.students.ranker import score_lists
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.list_stages import RankedLists, candidate_lists
from harness.training_lists.training_list import (
    SUMMARY,
    TrainingList,
    from_rankings,
    from_scores,
    read_lists,
    write_lists,
)

MOST = 100
"""Lists that are measured at most: means over them are sure to about 0.02, in seconds."""
_LEAST = 20
"""With fewer queries left of the source that was learnt last, those of the next sources join them."""


def held_out_queries(subset: QuerySubset, size: int, context: Context) -> list[TrainingQuery]:
    """At most `MOST` queries that follow the first `size` of the subset's draw; none where the pool ends there."""
    rest = subset.whole_order(read_pool(context.path(subset.pool)))[size:]
    sources = [list(rows) for _, rows in groupby(rest, key=lambda query: query.source)]
    return (sources[0] if sources and len(sources[0]) >= _LEAST else rest)[:MOST]


def read_held_out(folder: Path) -> tuple[list[TrainingList], str]:
    """The lists of an artefact, and where there are none the reason."""
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    return read_lists(folder), str(summary["reason"])


def _write(out: Path, lists: Sequence[TrainingList], reason: str) -> None:
    write_lists(out, lists)
    summary = {"lists": len(lists), "reason": "" if lists else reason}
    (out / SUMMARY).write_text(json.dumps(summary, indent=1), encoding="utf-8")


class ScoringRanker(Protocol):
    """A stage that has a ranker score lists."""

    @property
    def ranker(self) -> ModelFiles | Stage: ...
    @property
    def architecture(self) -> Architecture: ...
    @property
    def corpus(self) -> Texts: ...
    @property
    def max_length(self) -> int: ...
    @property
    def embeddings(self) -> Embed | None: ...


def ranker_scores(stage: ScoringRanker, lists: Sequence[TrainingList], context: Context) -> list[list[float]]:
    """What the ranker of `stage` scores the documents of every list, with the embeddings that are there for one whose
    encoder stays as it is."""
    if stage.embeddings is not None:
        return projected_scores(stage.ranker, stage.embeddings, stage.max_length, lists, context)
    dataset, start = ListDataset.of(lists, stage.corpus), model_path(stage.ranker, context)
    return score_lists(start, stage.architecture, dataset, stage.max_length, context.progress)


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOutOrders(Stage):
    """A teacher's orders of queries that are not among `lists`, which were learnt. Nothing is ever paid for them."""

    kind: ClassVar[str] = "held-out-orders"

    lists: RankedLists
    labels: Labels
    """Those of `lists`, whose teacher is free and asked of more queries; or more of the same teacher and draw, which
    are read."""
    task_inputs: tuple[Stage, ...]
    """What the tasks of the labels are read from."""

    @property
    def label(self) -> str:
        return self.labels.teacher.name

    def run(self, out: Path, context: Context) -> None:
        learnt = self.lists.subset
        queries = held_out_queries(learnt, learnt.size, context)
        rankings = self._rankings(learnt.size + len(queries), context)
        known = [query for query in queries if query.id in rankings]
        built = from_rankings(known, {query: self.lists.learnt(one) for query, one in rankings.items()})
        reason = "the teacher orders none of the queries that follow in the draw" if known else "no query is left over"
        _write(out, built.lists, reason)

    def _rankings(self, size: int, context: Context) -> dict[str, Ranking]:
        labels = self.labels
        if labels.subset.size > self.lists.subset.size:
            return {one.query: one for one in read_rankings(context.path(labels) / RANKINGS)}
        more = replace(labels, subset=replace(labels.subset, size=size))
        try:
            teacher, ledger = more.asking(context.path), ReplayLedger(context.ledger)
            return {one.query: one for one in more.rankings(teacher, context.path, ledger, context.progress)}
        except CacheMiss as error:
            raise UserError(
                f"the teacher '{labels.teacher.name}' calls itself free and asks for calls that were not made",
                remedy="leave is_free out of its class",
            ) from error


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOutScores(Stage):
    """A ranker's scores of the candidates of queries that follow `subset`, whose lists taught the retriever."""

    kind: ClassVar[str] = "held-out-scores"
    computes: ClassVar[bool | None] = True

    ranker: ModelFiles | Stage
    architecture: Architecture
    subset: QuerySubset
    candidates: Stage
    corpus: Texts
    depth: int
    max_length: int
    embeddings: Embed | None = None
    """Those of the encoder under a projection ranker."""

    @property
    def label(self) -> str:
        return f"after {self.subset.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        queries = held_out_queries(self.subset, self.subset.size, context)
        candidates = candidate_lists(queries, self.candidates, self.depth, context)
        lists = [
            TrainingList(query.id, query.text, documents, 0)
            for query in queries
            if len(documents := tuple(candidates[query.id])) > 1
        ]
        if lists:
            lists = list(from_scores(lists, ranker_scores(self, lists, context)).lists)
        reason = "no query that is left over has two candidates" if queries else "no query of the pool is left over"
        _write(out, lists, reason)
