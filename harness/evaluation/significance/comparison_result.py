"""The shapes that ``harness compare`` answers in."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from harness.evaluation.metrics.lookup import Scores

Bounds = tuple[float, float] | None
Verdict = Literal["better", "worse", "equivalent", "inconclusive"]


class RunMean(TypedDict):
    """A run in a comparison; the interval is 95 %, bootstrapped over queries, None with a single query.

    `missing` counts queries for which the run has nothing (they count 0).
    """

    name: str
    metric: str
    mean: float
    interval: Bounds
    missing: int


class Equivalence(TypedDict):
    """p of the hypothesis that the runs differ by the margin or more."""

    p: float
    p_adjusted: float


class Comparison(TypedDict):
    """Run `b` against run `a`: `difference` is b - a, `wins` are queries where b is better.

    `superiority` is the share of wins with half the ties. `detectable` is the least true difference that as many
    queries show with the power asked for, `queries_needed` how many it takes to show a true difference as large as this
    one; both None where undefined.
    """

    metric: str
    a: str
    b: str
    difference: float
    interval: Bounds
    effect_size: float | None
    p: float
    p_adjusted: float
    wins: int
    ties: int
    losses: int
    superiority: float
    detectable: float | None
    queries_needed: int | None
    equivalence: NotRequired[Equivalence]
    verdict: Verdict


class ComparisonResult(TypedDict):
    """The answer of ``harness compare``; `family` says which comparisons the correction covers.

    `metric` joins several by a comma; each run and comparison names its own. `margin` is there when equivalence was
    asked for.
    """

    metric: str
    test: str
    correction: str
    family: str
    seed: int
    alternative: str
    interval: str
    alpha: float
    power: float
    margin: NotRequired[float]
    queries: int
    runs: list[RunMean]
    comparisons: list[Comparison]
    notices: NotRequired[list[str]]
    """What is odd about runs and qrels; empty where nothing is."""


class Evaluated(TypedDict):
    """The answer of ``harness evaluate``; `missing` counts queries for which the run has nothing (they count 0)."""

    run: str
    collection: NotRequired[str]
    queries: int
    missing: int
    metrics: dict[str, float]
    notices: list[str]
    """What is odd about run and qrels; empty where nothing is."""
    per_query: NotRequired[Scores]
