"""What ``harness evaluate`` and ``harness compare`` answer: plain functions from runs and qrels to the documented JSON shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NotRequired, TypedDict

import numpy as np

from harness.collections.base import Qrels
from harness.errors import UserError
from harness.evaluation.bootstrap import mean_intervals
from harness.evaluation.corrections import correct
from harness.evaluation.grid import Array
from harness.evaluation.metrics import Scores, mean
from harness.evaluation.metrics import evaluate as per_query_scores
from harness.evaluation.metrics import metric as parse_metric
from harness.evaluation.render import render_comparison, render_evaluation
from harness.evaluation.significance import SEED, Outcome, outcomes, paired_test
from harness.evaluation.text import counted

if TYPE_CHECKING:
    from harness.retrieval.run import Run

__all__ = ["compare", "evaluate", "render_comparison", "render_evaluation"]

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


def compare(
    runs: Sequence[Run],
    qrels: Qrels,
    *,
    baseline: Run | None = None,
    metric: str = "nDCG@10",
    test: str = "randomisation",
    correction: str = "holm",
    seed: int = SEED,
) -> Compared:
    """Paired comparisons over the queries of `qrels`: each run against `baseline`, or all pairs without one.

    A baseline that is not among `runs` is put in front; runs that share a name are numbered. Raises UserError on unknown names, fewer
    than two runs or no queries.
    """
    chosen = str(parse_metric(metric))
    paired_test(test)
    among = [*runs] if baseline is None or baseline in runs else [baseline, *runs]
    if len(among) < 2:
        raise UserError("a comparison needs at least two runs")
    names = _names([run.name for run in among])
    scores = {name: per_query_scores(run.scores, qrels, [chosen])[chosen] for name, run in zip(names, among, strict=True)}
    columns = np.array([list(values.values()) for values in scores.values()]).T
    first = None if baseline is None else among.index(baseline)
    return Compared(
        metric=chosen,
        test=test,
        correction=correction,
        family=_family(len(among), chosen, None if first is None else names[first]),
        seed=seed,
        queries=len(qrels),
        runs=_means(scores, columns, seed),
        comparisons=_comparisons(names, columns, first, test, correction, seed),
    )


def _names(own: Sequence[str]) -> list[str]:
    """`own` names; those that several runs share are numbered in the order of the runs."""
    counts = Counter(own)
    seen: Counter[str] = Counter()
    names = []
    for name in own:
        seen[name] += 1
        names.append(name if counts[name] == 1 else f"{name} #{seen[name]}")
    return names


def _family(runs: int, metric_name: str, baseline: str | None) -> str:
    if baseline is not None:
        return f"{counted(runs - 1, 'comparison')} with {baseline} on {metric_name}"
    return f"{counted(runs * (runs - 1) // 2, 'comparison')} of {runs} runs on {metric_name}"


def _means(scores: Scores, columns: Array, seed: int) -> list[RunMean]:
    intervals = mean_intervals(columns, seed) if len(columns) > 1 else [None] * len(scores)
    rows = zip(scores.items(), intervals, strict=True)
    return [RunMean(name=name, mean=mean(values), interval=interval) for (name, values), interval in rows]


def _comparisons(names: list[str], columns: Array, first: int | None, test: str, correction: str, seed: int) -> list[Comparison]:
    pairs = _pairs(len(names), first)
    differences = columns[:, [b for _, b in pairs]] - columns[:, [a for a, _ in pairs]]
    found = outcomes(differences, test, seed)
    adjusted = correct(np.array([outcome.p for outcome in found]), correction).tolist()
    rows = zip(pairs, found, adjusted, strict=True)
    return [_comparison(names[a], names[b], outcome, p) for (a, b), outcome, p in rows]


def _pairs(runs: int, first: int | None) -> list[tuple[int, int]]:
    if first is None:
        return list(combinations(range(runs), 2))
    return [(first, row) for row in range(runs) if row != first]


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
