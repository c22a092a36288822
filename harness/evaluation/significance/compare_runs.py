"""What ``harness compare`` answers: runs and qrels become per-query values, and these a family of comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from harness.collections.collection import Qrels
from harness.errors import UserError, did_you_mean
from harness.evaluation.exact_sums import Array
from harness.evaluation.metrics.lookup import distinct_metrics, evaluate, reach
from harness.evaluation.significance.clusters import clusters_of
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.hierarchical import Design
from harness.evaluation.significance.id_overlap import overlap_notices
from harness.evaluation.significance.method_difference import MethodRuns
from harness.evaluation.significance.score_matrix import ScoreMatrix, compare_matrix
from harness.evaluation.significance.test_spec import TestSpec

if TYPE_CHECKING:
    from harness.retrieval.run import Run


def compare(
    runs: Sequence[Run],
    qrels: Qrels,
    *,
    baseline: Run | Sequence[Run] | None = None,
    metrics: str | Sequence[str] = ("nDCG@10",),
    question: TestSpec | None = None,
    clusters: Mapping[str, str] | None = None,
) -> ComparisonResult:
    """Paired comparisons over the queries of `qrels`: each run against `baseline` (or each of several), or all pairs
    without one, on each metric.

    A baseline that is not among `runs` is put in front; runs that share a name are numbered. The family that p is
    adjusted over is all of it. `clusters` (query -> cluster) name queries that are not independent. Runs are taken as
    they are; for methods with several runs see `compare_methods`. Raises UserError on unknown names, fewer than two
    runs, no queries, and a run that has no query in common with `qrels`.

    >>> import harness
    >>> runs = [harness.load_run(f"results/semanlink/{name}") for name in ("bm25-b287f4b1", "zero-shot-370397b1")]
    >>> qrels = {query: {next(iter(documents)): 1} for query, documents in runs[0].scores.items()}
    >>> report = harness.compare(runs, qrels, metrics=["nDCG@10"])
    >>> [run["mean"] for run in report["runs"]][0], report["comparisons"][0]["p_adjusted"] < 0.05
    (1.0, True)
    """
    given = cast("list[Run]", [] if baseline is None else [*baseline] if isinstance(baseline, Sequence) else [baseline])
    among = [*(one for one in given if one not in runs), *runs]
    if not among:
        raise UserError("a comparison needs at least two runs")
    chosen = [str(one) for one in distinct_metrics(metrics)]
    columns = ScoreMatrix(
        metrics=chosen,
        names=_names([run.name for run in among]),
        values=_values(among, qrels, chosen),
        missing=[sum(not run.scores.get(query) for query in qrels) for run in among],
        baselines=[among.index(one) for one in given],
        clusters=clusters_of(clusters or {}, sorted(qrels)),
    )
    return {**compare_matrix(columns, question or TestSpec()), "notices": _notices(among, qrels)}


class MethodGroup(NamedTuple):
    """Runs of one method, with the resample and seed of each, and the part of their training queries that resamples
    share (None where nobody knows it)."""

    runs: tuple[Run, ...]
    design: Design
    shared: float | None = 0.0


def compare_methods(
    methods: Mapping[str, MethodGroup],
    qrels: Qrels,
    *,
    baselines: Sequence[str] = (),
    metrics: str | Sequence[str] = ("nDCG@10",),
    question: TestSpec | None = None,
    clusters: Mapping[str, str] | None = None,
) -> ComparisonResult:
    """`compare` of methods by their names: differences within a resample where both have it, p and intervals over
    queries and runs. `baselines` are names among `methods`. Raises UserError as `compare` does."""
    chosen = [str(one) for one in distinct_metrics(metrics)]
    names, groups = [*methods], [*methods.values()]
    for name in baselines:
        if name not in methods:
            raise UserError(f"no method '{name}'", key="--baseline", remedy=did_you_mean(name, names))
    per_run = [_values(group.runs, qrels, chosen) for group in groups]
    columns = [
        MethodRuns(
            values[:, number * len(group.runs) : (number + 1) * len(group.runs)], group.design, group.shared, reach(of)
        )
        for number, of in enumerate(chosen)
        for values, group in zip(per_run, groups, strict=True)
    ]
    matrix = ScoreMatrix(
        metrics=chosen,
        names=names,
        values=np.column_stack([one.values.mean(axis=1) for one in columns]),
        missing=[max(sum(not run.scores.get(query) for query in qrels) for run in group.runs) for group in groups],
        baselines=[names.index(name) for name in baselines],
        methods=columns,
        clusters=clusters_of(clusters or {}, sorted(qrels)),
    )
    notices = _notices([run for group in groups for run in group.runs], qrels)
    return {**compare_matrix(matrix, question or TestSpec()), "notices": notices}


def _notices(runs: Sequence[Run], qrels: Qrels) -> list[str]:
    return [notice for run in runs for notice in overlap_notices(run.name, run.scores, qrels)]


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
