"""What ``harness compare`` answers: runs and qrels become per-query values, and these a family of comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.collections.collection import Qrels
from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.metrics.lookup import distinct_metrics, evaluate
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.id_overlap import overlap_notices
from harness.evaluation.significance.score_matrix import ScoreMatrix, compare_matrix
from harness.evaluation.significance.test_spec import TestSpec

if TYPE_CHECKING:
    from harness.retrieval.run import Run


def compare(
    runs: Sequence[Run],
    qrels: Qrels,
    *,
    baseline: Run | None = None,
    metrics: str | Sequence[str] = ("nDCG@10",),
    question: TestSpec | None = None,
) -> ComparisonResult:
    """Paired comparisons over the queries of `qrels`: each run against `baseline`, or all pairs without one, on each
    metric.

    A baseline that is not among `runs` is put in front; runs that share a name are numbered. The family that p is
    adjusted over is all of it. Raises UserError on unknown names, fewer than two runs, no queries, and a run that has
    no query in common with `qrels`.

    >>> import harness
    >>> runs = [harness.load_run(f"results/semanlink/{name}") for name in ("bm25-b287f4b1", "zero-shot-370397b1")]
    >>> qrels = {query: {next(iter(documents)): 1} for query, documents in runs[0].scores.items()}
    >>> report = harness.compare(runs, qrels, metrics=["nDCG@10"])
    >>> [run["mean"] for run in report["runs"]][0], report["comparisons"][0]["p_adjusted"] < 0.05
    (1.0, True)
    """
    among = [*runs] if baseline is None or baseline in runs else [baseline, *runs]
    if not among:
        raise UserError("a comparison needs at least two runs")
    notices = [notice for run in among for notice in overlap_notices(run.name, run.scores, qrels)]
    chosen = [str(one) for one in distinct_metrics(metrics)]
    columns = ScoreMatrix(
        metrics=chosen,
        names=_names([run.name for run in among]),
        values=_values(among, qrels, chosen),
        missing=[sum(not run.scores.get(query) for query in qrels) for run in among],
        baseline=None if baseline is None else among.index(baseline),
    )
    return {**compare_matrix(columns, question or TestSpec()), "notices": notices}


def _names(own: Sequence[str]) -> list[str]:
    """`own` names; those that several runs share are numbered in the order of the runs."""
    counts = Counter(own)
    seen: Counter[str] = Counter()
    names = []
    for name in own:
        seen[name] += 1
        names.append(name if counts[name] == 1 else f"{name} #{seen[name]}")
    return names


def _values(runs: Sequence[Run], qrels: Qrels, metrics: list[str]) -> Array:
    scores = [evaluate(run.scores, qrels, metrics) for run in runs]
    return np.array([list(found[name].values()) for name in metrics for found in scores]).T
