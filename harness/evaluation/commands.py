"""What ``harness evaluate`` answers, and the one place to import all of ``evaluate`` and ``compare`` from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

from harness.collections.base import Qrels
from harness.evaluation.comparing import compare
from harness.evaluation.metrics import Scores, mean
from harness.evaluation.metrics import evaluate as per_query_scores
from harness.evaluation.question import Question
from harness.evaluation.render import render_comparison, render_evaluation
from harness.evaluation.sides import Side

if TYPE_CHECKING:
    from harness.retrieval.run import Run

__all__ = ["Question", "Side", "compare", "evaluate", "render_comparison", "render_evaluation"]

DEFAULT_METRICS = ("nDCG@10", "R@100", "RR@10", "AP")


class Evaluated(TypedDict):
    """The answer of ``harness evaluate``; `missing` counts queries for which the run has nothing (they count 0)."""

    run: str
    collection: NotRequired[str]
    queries: int
    missing: int
    metrics: dict[str, float]
    per_query: NotRequired[Scores]


def evaluate(
    run: Run, qrels: Qrels, metrics: Sequence[str] | None = None, *, collection: str | None = None, per_query: bool = False
) -> Evaluated:
    """Means of `metrics` (DEFAULT_METRICS where None) over all queries of `qrels`. Raises UserError on an unknown metric."""
    scores = per_query_scores(run.scores, qrels, metrics or DEFAULT_METRICS)
    answer = Evaluated(
        run=run.name,
        queries=len(qrels),
        missing=sum(not run.scores.get(query) for query in qrels),
        metrics={name: mean(values) for name, values in scores.items()},
    )
    if collection is not None:
        answer["collection"] = collection
    if per_query:
        answer["per_query"] = scores
    return answer
