"""How good a teacher's orders are by the judgments of the training queries, beside the candidates' own order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.crops import HUMAN, TrainingQuery
from harness.collections.pool import read_pool
from harness.evaluation.list_agreement import METRIC, tau_b
from harness.evaluation.metrics.lookup import evaluate, mean
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.ranking import Ranking
from harness.retrieval.run import Run
from harness.stage import Context, Stage

FILE = "quality.json"
Grades = Mapping[str, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class OrderQuality(Stage):
    """nDCG@10 and Kendall's tau-b of a teacher's orders, and of the candidates' own, with the grades of the judgments.

    Over the labelled queries with an order and a relevant candidate: those that people judged, or where there are none
    all, whose gold is then the document that each was made from. Artefact: ``quality.json``.
    """

    kind: ClassVar[str] = "order-quality"

    labels: Labels
    candidates: Stage
    pool: Stage
    depth: int

    @property
    def label(self) -> str:
        return self.labels.label

    def run(self, out: Path, context: Context) -> None:
        rankings = read_rankings(context.path(self.labels) / RANKINGS)
        queries = {query.id: query for query in read_pool(context.path(self.pool))}
        first = Run.read(context.path(self.candidates))
        found = order_quality(rankings, {one.query: first.top(one.query, self.depth) for one in rankings}, queries)
        (out / FILE).write_text(json.dumps({"teacher": found}, indent=1) + "\n", encoding="utf-8")


def order_quality(
    rankings: Iterable[Ranking], candidates: Mapping[str, Sequence[str]], queries: Mapping[str, TrainingQuery]
) -> dict[str, Any] | None:
    """``{"lists", "sources", "ndcg", "tau", "candidates": {"ndcg", "tau"}}``; None where no query can be judged."""
    judged = [
        one
        for one in rankings
        if one.ranked and any(queries[one.query].gold.get(document, 0) > 0 for document in candidates[one.query])
    ]
    counted = [one for one in judged if queries[one.query].source == HUMAN] or judged
    if not counted:
        return None
    gold = {one.query: queries[one.query].gold for one in counted}
    # What the teacher did not place follows in the candidates' own order, as a re-ranker would leave it.
    teacher = {
        one.query: [*one.ranked, *(document for document in candidates[one.query] if document not in set(one.ranked))]
        for one in counted
    }
    tied = {one.query: len(one.ranked) for one in counted}
    return {
        "lists": len(counted),
        "sources": dict(Counter(queries[one.query].source for one in counted)),
        **_by_judgments(teacher, tied, gold),
        "candidates": _by_judgments(
            {query: candidates[query] for query in gold}, {query: len(candidates[query]) for query in gold}, gold
        ),
    }


def _by_judgments(
    orders: Mapping[str, Sequence[str]], placed: Mapping[str, int], gold: Mapping[str, Grades]
) -> dict[str, float | None]:
    """Of each order the first `placed` documents are in order, for tau the others are tied."""
    run = {
        query: {document: float(len(order) - place) for place, document in enumerate(order)}
        for query, order in orders.items()
    }
    taus = [
        tau_b(
            [float(len(order) - place) if place < placed[query] else 0.0 for place in range(len(order))],
            [gold[query].get(document, 0) for document in order],
        )
        for query, order in orders.items()
    ]
    known = [tau for tau in taus if tau is not None]
    return {
        "ndcg": mean(evaluate(run, {query: dict(grades) for query, grades in gold.items()}, [METRIC])[METRIC]),
        "tau": sum(known) / len(known) if known else None,
    }
