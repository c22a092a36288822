"""The three ways to training lists, as stages. Each artefact holds ``lists.parquet`` and ``summary.json``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.collections.pool import read_pool
from harness.collections.sample import QuerySubset
from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS
from harness.labelling.labels.ranking import Ranking
from harness.method import Edit
from harness.retrieval.run import Run
from harness.stage import Context, Stage, keyed
from harness.training_lists.training_list import ListsBuilt, TrainingList, from_gold, from_rankings

if TYPE_CHECKING:
    from harness.collections.crops import TrainingQuery


def subset_queries(subset: QuerySubset, context: Context) -> list[TrainingQuery]:
    """The training queries of a subset."""
    return subset.drawn_from(read_pool(context.path(subset.pool)))


def candidate_lists(
    queries: list[TrainingQuery], candidates: Stage, depth: int, context: Context
) -> dict[str, list[str]]:
    """The first `depth` candidates of each query, best first."""
    run = Run.read(context.path(candidates))
    return {query.id: run.top(query.id, depth) for query in queries}


def unordered_lists(subset: QuerySubset, candidates: Stage, depth: int, context: Context) -> ListsBuilt:
    """The first `depth` candidates of every query of `subset`, in no order yet; lists of fewer than two are dropped."""
    queries = subset_queries(subset, context)
    found = candidate_lists(queries, candidates, depth, context)
    enough = [query for query in queries if len(found[query.id]) > 1]
    lists = tuple(TrainingList(query.id, query.text, tuple(found[query.id]), 0) for query in enough)
    dropped = len(queries) - len(enough)
    return ListsBuilt(lists, {"with fewer than two candidates": dropped} if dropped else {})


@dataclass(frozen=True, eq=False, kw_only=True)
class GoldLists(Stage):
    """Lists from gold judgments: at most `most_positives` gold documents (half the list where None), then candidates
    that are not gold."""

    kind: ClassVar[str] = "gold-lists"
    version: ClassVar[int] = 2

    subset: QuerySubset = keyed("draw")
    candidates: Stage
    depth: int
    most_positives: int | None = None

    @property
    def label(self) -> str:
        return f"{self.subset.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        self.build(context).write(out)

    def build(self, context: Context) -> ListsBuilt:
        """The lists, before they are written."""
        queries = subset_queries(self.subset, context)
        found = candidate_lists(queries, self.candidates, self.depth, context)
        return from_gold(queries, found, self.depth, self.most_positives or max(self.depth // 2, 1))


@dataclass(frozen=True, eq=False, kw_only=True)
class RankedLists(Stage):
    """Lists in a teacher's order, for the queries of `subset`; `labels` may hold more."""

    kind: ClassVar[str] = "ranked-lists"

    labels: Stage
    subset: QuerySubset = keyed("draw")

    @property
    def label(self) -> str:
        return f"{self.subset.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        rankings = {one.query: self.learnt(one) for one in read_rankings(context.path(self.labels) / RANKINGS)}
        from_rankings(subset_queries(self.subset, context), rankings).write(out)

    def learnt(self, ranking: Ranking) -> Ranking:
        """What is learnt of a ranking: all of it."""
        return ranking


@dataclass(frozen=True, eq=False, kw_only=True)
class EditedLists(RankedLists):
    """The same after `edit` changed each ranking. Raises UserError when it adds documents or makes a ranking of another
    query."""

    kind: ClassVar[str] = "edited-lists"

    edit: Edit
    """A frozen dataclass: its fields, its class and the code of its plug-in are part of the key."""

    def __post_init__(self) -> None:
        kind = type(self.edit)
        if not (dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen):
            raise UserError(
                f"the edit {kind.__name__} of rankings is no frozen dataclass",
                remedy="write @dataclass(frozen=True) above it, so that its fields are part of the key",
            )

    def fields(self) -> dict[str, Any]:
        kind = type(self.edit)
        return super().fields() | {"edit class": f"{kind.__module__}.{kind.__qualname__}"}

    def learnt(self, ranking: Ranking) -> Ranking:
        edited = self.edit(ranking)
        added = {*edited.ranked, *edited.unranked} - {*ranking.ranked, *ranking.unranked}
        if added or edited.query != ranking.query:
            what = f"adds the document '{min(added)}'" if added else f"makes it one of query '{edited.query}'"
            raise UserError(f"the edit {type(self.edit).__name__} of the ranking of query '{ranking.query}' {what}")
        return edited
