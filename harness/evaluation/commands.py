"""What ``harness evaluate`` and ``harness compare`` answer: plain functions from runs and qrels to the documented JSON shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

import numpy as np

from harness.collections.base import Qrels
from harness.errors import UserError, did_you_mean
from harness.evaluation.bootstrap import mean_intervals
from harness.evaluation.corrections import correct
from harness.evaluation.grid import Array
from harness.evaluation.metrics import Scores, evaluate, mean, metric
from harness.evaluation.significance import SEED, Outcome, outcomes, paired_test

if TYPE_CHECKING:
    from harness.retrieval.run import Run

DEFAULT_METRICS = ("nDCG@10", "R@100", "RR@10", "AP")


class Evaluated(TypedDict):
    """The answer of ``harness evaluate``; `missing` counts queries for which the run has nothing (they count 0)."""

    run: str
    collection: NotRequired[str]
    queries: int
    missing: int
    metrics: dict[str, float]
    per_query: NotRequired[Scores]


class RunMean(TypedDict):
    """A run in a comparison; the interval is 95 %, bootstrapped over queries, None with a single query."""

    name: str
    mean: float
    interval: tuple[float, float] | None


class Comparison(TypedDict):
    """Run `b` against run `a`: `difference` is b - a, `wins` are queries where b is better."""

    a: str
    b: str
    difference: float
    interval: tuple[float, float] | None
    effect_size: float | None
    p: float
    p_adjusted: float
    wins: int
    ties: int
    losses: int


class Compared(TypedDict):
    """The answer of ``harness compare``; `family` says which comparisons the correction covers."""

    metric: str
    test: str
    correction: str
    family: str
    seed: int
    queries: int
    runs: list[RunMean]
    comparisons: list[Comparison]


def evaluate_run(
    run: Run, qrels: Qrels, metrics: Sequence[str] = DEFAULT_METRICS, *, collection: str | None = None, per_query: bool = False
) -> Evaluated:
    """Means of `metrics` over all queries of `qrels`. Raises UserError on an unknown metric."""
    scores = evaluate(run.scores, qrels, metrics)
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


def compare_runs(
    runs: Mapping[str, Run],
    qrels: Qrels,
    metric_name: str = "nDCG@10",
    *,
    baseline: str | None = None,
    test: str = "randomisation",
    correction: str = "holm",
    seed: int = SEED,
) -> Compared:
    """Paired comparisons over the queries of `qrels`: each run against `baseline`, or all pairs without one.

    `runs` are keyed by the names to show. Raises UserError on unknown names, fewer than two runs or no queries.
    """
    chosen = str(metric(metric_name))
    paired_test(test)
    _check_runs(runs, baseline)
    scores = {name: evaluate(run.scores, qrels, [chosen])[chosen] for name, run in runs.items()}
    columns = np.array([list(values.values()) for values in scores.values()]).T
    return Compared(
        metric=chosen,
        test=test,
        correction=correction,
        family=_family(len(runs), chosen, baseline),
        seed=seed,
        queries=len(qrels),
        runs=_means(scores, columns, seed),
        comparisons=_comparisons(list(runs), columns, baseline, test, correction, seed),
    )


def _check_runs(runs: Mapping[str, Run], baseline: str | None) -> None:
    if len(runs) < 2:
        raise UserError("a comparison needs at least two runs")
    if baseline is not None and baseline not in runs:
        raise UserError(f"the baseline '{baseline}' is not among the runs", remedy=did_you_mean(baseline, runs))


def _family(runs: int, metric_name: str, baseline: str | None) -> str:
    if baseline is not None:
        return f"{runs - 1} comparison{'s' if runs > 2 else ''} with {baseline} on {metric_name}"
    return f"all {runs * (runs - 1) // 2} pairs of {runs} runs on {metric_name}"


def _means(scores: Scores, columns: Array, seed: int) -> list[RunMean]:
    intervals = mean_intervals(columns, seed) if len(columns) > 1 else [None] * len(scores)
    rows = zip(scores.items(), intervals, strict=True)
    return [RunMean(name=name, mean=mean(values), interval=interval) for (name, values), interval in rows]


def _comparisons(names: list[str], columns: Array, baseline: str | None, test: str, correction: str, seed: int) -> list[Comparison]:
    if baseline is None:
        pairs = list(combinations(range(len(names)), 2))
    else:
        first = names.index(baseline)
        pairs = [(first, row) for row in range(len(names)) if row != first]
    differences = columns[:, [b for _, b in pairs]] - columns[:, [a for a, _ in pairs]]
    found = outcomes(differences, test, seed)
    adjusted = correct(np.array([outcome.p for outcome in found]), correction).tolist()
    rows = zip(pairs, found, adjusted, strict=True)
    return [_comparison(names[a], names[b], outcome, p) for (a, b), outcome, p in rows]


def _comparison(a: str, b: str, outcome: Outcome, p_adjusted: float) -> Comparison:
    return Comparison(
        a=a,
        b=b,
        difference=outcome.difference,
        interval=outcome.interval,
        effect_size=outcome.effect_size,
        p=outcome.p,
        p_adjusted=p_adjusted,
        wins=outcome.wins,
        ties=outcome.ties,
        losses=outcome.losses,
    )


def read_runs(paths: Sequence[Path]) -> dict[str, Run]:
    """The runs at `paths`, in that order: run files, or published result folders. Keyed by the runs' own names where these differ.

    Runs that share a name get the shortest end of their path that tells them apart. Raises UserError when a path is given twice.
    """
    from harness.retrieval.run import Run

    for path, count in Counter(path.resolve() for path in paths).items():
        if count > 1:
            raise UserError("the same run is given twice", file=path)
    runs = [Run.read(path / "run.trec.gz" if path.is_dir() else path) for path in paths]
    return dict(zip(_names([run.name for run in runs], paths), runs, strict=True))


def _names(own: Sequence[str], paths: Sequence[Path]) -> list[str]:
    counts = Counter(own)
    full = [path.resolve().parts for path in paths]
    for depth in range(1, max(map(len, full), default=1) + 1):
        names = [name if name and counts[name] == 1 else "/".join(parts[-depth:]) for name, parts in zip(own, full, strict=True)]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
