"""The three ways to training lists, as stages. Each artefact holds ``lists.parquet`` and ``summary.json``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.collections.collection import Texts
from harness.method import Draw
from harness.models import ModelFiles, model_path
from harness.stage import Context, Stage
from harness.students.architecture import Architecture
from harness.training_lists.training_list import Built, TrainingList, from_gold, from_rankings, from_scores

if TYPE_CHECKING:
    from harness.collections.crops import TrainingQuery


def drawn(draw: Draw, context: Context) -> list[TrainingQuery]:
    """The training queries of a draw."""
    from harness.collections.pool import draw as draw_from
    from harness.collections.pool import read_pool

    return draw_from(read_pool(context.path(draw.pool)), draw.resample, draw.size)


def candidate_lists(queries: list[TrainingQuery], candidates: Stage, depth: int, context: Context) -> dict[str, list[str]]:
    """The first `depth` candidates of each query, best first."""
    from harness.retrieval.run import Run

    run = Run.read(context.path(candidates))
    return {query.id: run.top(query.id, depth) for query in queries}


@dataclass(frozen=True, eq=False, kw_only=True)
class GoldLists(Stage):
    """Lists from gold judgments: at most `most_positives` gold documents (half the list where None), then candidates that are not gold."""

    kind: ClassVar[str] = "gold-lists"
    version: ClassVar[int] = 2

    draw: Draw
    candidates: Stage
    depth: int
    most_positives: int | None = None

    @property
    def label(self) -> str:
        return f"{self.draw.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        self.build(context).write(out)

    def build(self, context: Context) -> Built:
        """The lists, before they are written."""
        queries = drawn(self.draw, context)
        found = candidate_lists(queries, self.candidates, self.depth, context)
        return from_gold(queries, found, self.depth, self.most_positives or max(self.depth // 2, 1))


@dataclass(frozen=True, eq=False, kw_only=True)
class RankedLists(Stage):
    """Lists in a teacher's order, for the queries of `draw`; `labels` may hold more."""

    kind: ClassVar[str] = "ranked-lists"

    labels: Stage
    draw: Draw

    @property
    def label(self) -> str:
        return f"{self.draw.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        from harness.labelling.labels.label_stage import RANKINGS
        from harness.labelling.labels.ranking import read_rankings

        rankings = {ranking.query: ranking for ranking in read_rankings(context.path(self.labels) / RANKINGS)}
        from_rankings(drawn(self.draw, context), rankings).write(out)


@dataclass(frozen=True, eq=False, kw_only=True)
class RankerScores(Stage):
    """Candidate lists scored and ordered by a ranker; it needs no label, so `draw` may be larger than what was labelled."""

    kind: ClassVar[str] = "ranker-scores"

    ranker: ModelFiles | Stage
    architecture: Architecture
    draw: Draw
    candidates: Stage
    corpus: Texts
    depth: int
    max_length: int

    @property
    def label(self) -> str:
        return f"{self.draw.size:,} queries"

    @property
    def priority(self) -> int:
        return self.draw.size

    def run(self, out: Path, context: Context) -> None:
        from harness.students.ranker import load_ranker
        from harness.training.training_loop import deterministic
        from harness.training_lists.list_dataset import ListTable

        lists, dropped = self._candidates(context)
        table = ListTable.of(lists, self.corpus)
        # A cross-encoder that was never trained draws its head here.
        with deterministic(0):
            ranker = load_ranker(model_path(self.ranker, context), self.architecture)
            scores = ranker.over(table, self.max_length).score_all(context.progress)
        Built(from_scores(lists, [row.tolist() for row in scores]).lists, dropped).write(out)

    def _candidates(self, context: Context) -> tuple[list[TrainingList], Counter[str]]:
        queries = drawn(self.draw, context)
        found = candidate_lists(queries, self.candidates, self.depth, context)
        enough = [query for query in queries if len(found[query.id]) > 1]
        lists = [TrainingList(query.id, query.text, tuple(found[query.id]), 0) for query in enough]
        return lists, Counter({"with fewer than two candidates": len(queries) - len(enough)} if len(enough) < len(queries) else {})
