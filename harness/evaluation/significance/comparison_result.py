"""The shapes that ``harness compare`` answers in."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from harness.evaluation.metrics.lookup import Scores

Bounds = tuple[float, float] | None
Verdict = Literal["better", "worse", "equivalent", "noninferior", "superior", "inconclusive"]
"""`noninferior` and `superior` (by more than a margin) are given only where they were asked for."""


class RunMean(TypedDict):
    """A run in a comparison; the interval is over queries (and runs, where methods are compared), None with a single
    query.

    `missing` counts queries for which the run has nothing (they count 0).
    """

    name: str
    metric: str
    mean: float
    interval: Bounds
    missing: int


class Equivalence(TypedDict):
    """p of the hypothesis that a margin is reached or missed; the `interval` is the one of level 1 - 2 alpha that goes
    with one-sided tests at alpha."""

    p: float
    p_adjusted: float
    interval: Bounds


class TheseRuns(TypedDict):
    """What the sign-flip test over queries says of the runs that there are, whatever others would give."""

    p: float
    p_adjusted: float
    verdict: Verdict


class AgainstAll(TypedDict):
    """Run `b` against several baselines. `p_all`: that it is not better than all of them (or not worse), the largest p
    (intersection-union), adjusted over the runs only; `p_any`: that it differs from none, the least adjusted p."""

    metric: str
    b: str
    p_all: float | None
    p_any: float | None
    verdict: Verdict


class Comparison(TypedDict):
    """Run `b` against run `a`: `difference` is b - a, `wins` are queries where b is better.

    `superiority` is the share of wins with half the ties. `detectable` is the least true difference that as many
    queries show with the power asked for, `queries_needed` how many it takes to show a true difference as large as this
    one; both None where undefined, and both of queries alone. `detectable_runs` also counts what runs are uncertain by,
    `detectable_family` that and the correction (Bonferroni).

    `scope` says what p, interval and verdict are about: "methods" where runs are draws that have others beside them,
    "runs" where they are taken as they are. p is None where a method that chance has a part in has one run only:
    nothing is known of the method then, and `with_these_runs` holds what is known of that run.
    """

    metric: str
    a: str
    b: str
    difference: float
    interval: Bounds
    effect_size: float | None
    p: float | None
    p_adjusted: float | None
    wins: int
    ties: int
    losses: int
    superiority: float
    detectable: float | None
    queries_needed: int | None
    detectable_runs: float | None
    detectable_family: float | None
    equivalence: NotRequired[Equivalence]
    noninferiority: NotRequired[Equivalence]
    superiority_by_margin: NotRequired[Equivalence]
    scope: Literal["methods", "runs"]
    with_these_runs: NotRequired[TheseRuns]
    verdict: Verdict
    verdicts: list[Verdict]
    """All that is shown: a run may be better, and as good within a margin."""


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
    level: float
    """Of the intervals of differences."""
    margin: NotRequired[float]
    noninferiority_margin: NotRequired[float]
    superiority_margin: NotRequired[float]
    queries: int
    clusters: NotRequired[int]
    runs: list[RunMean]
    comparisons: list[Comparison]
    against_all: NotRequired[list[AgainstAll]]
    """With several baselines."""
    notes: list[str]
    """What so many queries and comparisons cannot show."""
    notices: NotRequired[list[str]]
    """What is odd about runs and qrels; empty where nothing is."""


class Evaluated(TypedDict):
    """The answer of ``harness evaluate``; `missing` counts queries for which the run has nothing (they count 0)."""

    run: str
    collection: NotRequired[str]
    queries: int
    missing: int
    metrics: dict[str, float]
    intervals: dict[str, Bounds]
    """95 % of each mean, over the queries."""
    clusters: NotRequired[int]
    notices: list[str]
    """What is odd about run and qrels; empty where nothing is."""
    per_query: NotRequired[Scores]
