"""What ``harness evaluate`` answers, and the one place to import all of ``evaluate`` and ``compare`` from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.collections.collection import Qrels
from harness.evaluation.metrics.lookup import Scores, bounds, mean
from harness.evaluation.metrics.lookup import evaluate as per_query_scores
from harness.evaluation.metrics.subtopics import Subtopics, diversity_scores, flattened
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.clusters import Clusters, clusters_of, read_clusters
from harness.evaluation.significance.compare_runs import compare, compare_methods
from harness.evaluation.significance.comparison_result import Evaluated
from harness.evaluation.significance.comparison_tables import render_comparison, render_evaluation
from harness.evaluation.significance.id_overlap import overlap_notices
from harness.evaluation.significance.method_difference import fixed_run, mean_of
from harness.evaluation.significance.test_spec import TestSpec

if TYPE_CHECKING:
    from harness.retrieval.run import Run

__all__ = [
    "Alternative",
    "TestSpec",
    "compare",
    "compare_methods",
    "evaluate",
    "evaluate_subtopics",
    "read_clusters",
    "render_comparison",
    "render_evaluation",
]

DEFAULT_METRICS = ("nDCG@10", "R@100", "RR@10", "AP")


def evaluate(
    run: Run,
    qrels: Qrels,
    metrics: str | Sequence[str] | None = None,
    *,
    collection: str | None = None,
    per_query: bool = False,
    clusters: Mapping[str, str] | None = None,
) -> Evaluated:
    """Means of `metrics`, one or several (DEFAULT_METRICS where None), over all queries of `qrels`, each with its 95 %
    t interval, cut at the metric's bounds, over `clusters` (query -> cluster) where queries are not independent. Raises
    UserError on an unknown metric, and where run and qrels have no query in common.

    >>> import harness
    >>> run = harness.load_run("results/semanlink/bm25-b287f4b1")
    >>> qrels = {query: {next(iter(documents)): 1} for query, documents in run.scores.items()}
    >>> harness.evaluate(run, qrels, ["RR@10", "R@100"])["metrics"]
    {'RR@10': 1.0, 'R@100': 1.0}
    """
    scores = per_query_scores(run.scores, qrels, metrics or DEFAULT_METRICS)
    return _evaluated(run, qrels, scores, collection, per_query, clusters or {})


def evaluate_subtopics(run: Run, subtopics: Subtopics, metrics: Sequence[str], *, per_query: bool = False) -> Evaluated:
    """The same from judgments by subtopic, for any metrics. Raises UserError on an unknown metric."""
    return _evaluated(run, flattened(subtopics), diversity_scores(run, subtopics, metrics), None, per_query, {})


def _evaluated(
    run: Run, qrels: Qrels, scores: Scores, collection: str | None, per_query: bool, named: Mapping[str, str]
) -> Evaluated:
    clusters = clusters_of(named, sorted(qrels))
    answer = Evaluated(
        run=run.name,
        queries=len(qrels),
        missing=sum(not run.scores.get(query) for query in qrels),
        metrics={name: mean(values) for name, values in scores.items()},
        intervals={name: _interval(name, values, clusters) for name, values in scores.items()},
        notices=overlap_notices(run.name, run.scores, qrels),
    )
    if clusters is not None:
        answer["clusters"] = clusters.count
    if collection is not None:
        answer["collection"] = collection
    if per_query:
        answer["per_query"] = scores
    return answer


def _interval(name: str, values: Mapping[str, float], clusters: Clusters | None) -> Interval | None:
    """Over few queries t reaches further than the metric can."""
    found = mean_of(fixed_run(np.array([*values.values()])), clusters).interval() if values else None
    if found is None:
        return None
    least, most = bounds(name)
    return Interval(max(found.low, least), min(found.high, most))
