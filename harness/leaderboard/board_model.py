"""Rows and tables of a board, ready to be shown. All numbers on screen come from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.pair_statistics import verdict
from harness.evaluation.significance.variance import Variance
from harness.method import Category
from harness.published.card_costs import OrderPresented
from harness.text import counted

ALPHA = 0.05
VERIFIED, AS_PUBLISHED, NOT_AS_CARD = "verified", "as published", "not as its card says"
"""Marks of a row: all its runs were verified; its files are what their cards say; files beside a run are not."""


@dataclass(frozen=True)
class Estimate:
    """A metric of a row. Intervals are 95 %, None where they are not defined."""

    mean: float
    interval: Interval | None
    """Over queries, and over resamples and seeds where the row has several runs."""
    runs_interval: Interval | None = None
    """Over resamples and seeds alone, queries as they are; None with one run."""
    deviation: float | None = None
    """Standard deviation of the runs' means; None with one run."""

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        return {
            "mean": self.mean,
            "interval": self.interval,
            "runs_interval": self.runs_interval,
            "deviation": self.deviation,
        }


@dataclass(frozen=True)
class BaselineComparison:
    """A row against its baseline on the leading metric: the methods, by t over queries and runs, and the runs that
    there are, by sign flips over queries.

    `p` and `p_adjusted` are None where a method that chance has a part in has one run only; the interval is then over
    queries, with that run.
    """

    baseline: str
    difference: float
    interval: Interval | None
    p: float | None
    p_adjusted: float | None
    p_runs: float
    p_runs_adjusted: float

    @property
    def verdict(self) -> str:
        """'better' or 'worse' where the adjusted p of the methods is below 0.05, otherwise ''."""
        found = verdict(self.difference, self.interval, self.p_adjusted, ALPHA)
        return "" if found == "inconclusive" else found

    @property
    def verdict_runs(self) -> str:
        """The same of the runs that there are, whatever others would give."""
        found = verdict(self.difference, None, self.p_runs_adjusted, ALPHA)
        return "" if found == "inconclusive" else found

    @property
    def scope(self) -> str:
        """What p, interval and verdict are about: 'methods', or 'runs' where there is one run only."""
        return "runs" if self.p is None else "methods"

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        numbers = {"difference": self.difference, "interval": self.interval, "p": self.p, "p_adjusted": self.p_adjusted}
        runs = {"p": self.p_runs, "p_adjusted": self.p_runs_adjusted, "verdict": self.verdict_runs}
        about = {"verdict": self.verdict, "scope": self.scope, "with_these_runs": runs}
        return {"baseline": self.baseline, **numbers, **about}


@dataclass(frozen=True)
class AllBaselines:
    """A row against several baselines together: `p_all` that it is better than all of them or worse than all (the
    largest p, adjusted over the rows), `p_any` that it differs from one (the least adjusted p)."""

    p_all: float | None
    p_any: float | None
    verdict: str
    """'better' or 'worse' than all, otherwise ''."""


@dataclass(frozen=True)
class RowFacts:
    """What the cards of a row say: one configuration, all its resamples and seeds together."""

    collection: str
    split: str
    content_hash: str
    method: str
    variant: str
    """Settings in which rows of the same method differ, those with a column of their own left out."""
    category: Category
    sees: tuple[str, ...]
    teacher: str | None
    teacher_type: str | None
    """The teacher's: real, placebo, simulated or oracle."""
    ranker_loss: str | None
    retriever_loss: str | None
    student: str | None
    budget: int | None
    runs: int
    resamples: int
    """How many draws of training queries the runs stand for; 0 where it makes no difference to the method."""
    trials: int
    """How many trials every run chose its settings from, on another split; 0 where nothing was tuned."""
    shared_queries: float | None
    """The part of its training queries that two resamples are expected to have in common; None where cards do not tell
    it."""
    seen_in_training: float | None
    """The share of test queries with a relevant document that is relevant to a query people wrote for training, of rows
    that such queries taught; None of others, and where cards do not tell it."""
    random: bool
    """True where another resample or seed would give another result."""
    cost: dict[str, float]
    """Means over the runs: calls, input_tokens, output_tokens, usd (every label at its price), usd_here, train_seconds,
    seconds (labelling as if nothing had been paid before, where the cards know that), seconds_here (as each stage took
    when it was made); and, unless a card does not tell, labels_used and its parts labels_teacher, labels_written and
    labels_gold."""
    labels: dict[str, float]
    """Share of labels by verdict; empty without a teacher."""
    prompts_cut: float
    """Share of the teacher's calls whose prompts its server read only in part."""
    parameters: dict[str, str]
    """What became of parameters that the teacher's server does not take, by name."""
    order_presented: OrderPresented | None
    """How far labels follow the order in which candidates were shown; None where that is not known."""
    missing_queries: int
    """Most queries that one of the runs misses."""
    collection_faults: tuple[str, ...]
    """What its cards say is wrong with the data of the collection, one line a kind."""
    run_ids: tuple[str, ...]
    metric_declared: str | None
    """The metric that its sweep leads with, as its cards say; None where they say nothing."""
    baseline_declared: tuple[str, ...]
    """The baselines that its sweep names."""
    missing_metrics: tuple[str, ...]
    """Metrics that its cards declare and for which it has no values."""
    unlicensed: tuple[str, ...] = field(default=(), kw_only=True)
    """Sources of imported labels whose licence nobody stated."""
    served: tuple[str, ...] = field(default=(), kw_only=True)
    """What servers call the models that labelled; several where a model moved behind its name."""
    fingerprints: int = field(default=0, kw_only=True)
    """How many system fingerprints the answers have."""
    estimated: int = field(default=0, kw_only=True)
    """Answers whose tokens their server did not count."""
    unchecked: tuple[str, ...] = field(default=(), kw_only=True)
    """Plug-ins that `harness check` had not passed when the runs were published."""
    run_faults: tuple[str, ...] = field(default=(), kw_only=True)
    """What is odd about runs that plug-ins made, one line a kind."""
    numerics: tuple[str, ...] = field(default=(), kw_only=True)
    """Device and precision of the models behind the runs, as far as cards tell: several where they are mixed."""
    priced: bool = field(default=True, kw_only=True)
    """False where the price of answers is not known, so that costs in USD are missing."""
    drop_identical: bool = field(default=False, kw_only=True)
    """Whether documents were left out that have the id of their query."""
    mark: str = field(default=AS_PUBLISHED, kw_only=True)
    """VERIFIED, AS_PUBLISHED or NOT_AS_CARD."""
    verified: tuple[str, ...] = field(default=(), kw_only=True)
    """Who verified its runs, and when; empty unless all were verified."""
    changed: tuple[str, ...] = field(default=(), kw_only=True)
    """Files beside its runs, on which no number rests, that are not what their cards say."""

    @property
    def name(self) -> str:
        """Method and variant."""
        return f"{self.method} ({self.variant})" if self.variant else self.method


@dataclass(frozen=True)
class Row(RowFacts):
    """A row of a table: what its cards say, what was measured, and what that means in its table."""

    metrics: dict[str, Estimate]
    variance: Variance | None
    """Of the leading metric, by source; None with one run."""
    rank: int | None
    """Place by the leading metric; None for rows that do not compete (oracle and simulated teachers)."""
    rank_interval: tuple[int, int] | None
    """The places that it has in 95 % of bootstrap samples of queries and runs, the same ones for all rows."""
    against: BaselineComparison | None
    against_each: tuple[BaselineComparison, ...]
    """With each of several baselines; empty with one."""
    against_all: AllBaselines | None
    against_zero_shot: BaselineComparison | None
    """For a control the comparison with zero-shot, whatever the baseline of its table is; None for all others."""
    flags: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """'better' or 'worse' than its baseline, with several than all of them; otherwise ''."""
        against = self.against_all or self.against
        return against.verdict if against else ""


@dataclass(frozen=True)
class Table:
    """Rows that may be compared: same collection content, same split."""

    collection: str
    split: str
    content_hash: str
    queries: int
    metric: str
    """The leading metric: sorted and tested by it."""
    metrics: tuple[str, ...]
    baseline: str | None
    family: str
    """What was tested how, in a sentence; empty without a baseline."""
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What is to be known of it, each with its collection before it."""
    anchors: tuple[str, ...] = ()
    """Those of its notes that are no doubts, but what others published on the collection."""
    drop_identical: bool = False
    """Whether documents were left out that have the id of their query."""

    clusters: Clusters | None = field(default=None, repr=False, compare=False)
    """Of its queries, in the order of their ids; None where they are independent."""

    @property
    def name(self) -> str:
        """What tells it from any other table: 'semanlink · test · 0123abcd'."""
        dropped = " · without identical ids" if self.drop_identical else ""
        return f"{self.collection} · {self.split} · {self.content_hash[:8]}{dropped}"

    @property
    def tested_on(self) -> str:
        """'1,451 queries in 515 clusters', or the queries alone."""
        return self.clusters.words if self.clusters else counted(self.queries, "query")

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows, and the notes, which stand with those of the board."""
        keys = ("collection", "split", "content_hash", "drop_identical", "queries", "metric", "baseline", "family")
        clusters = self.clusters.count if self.clusters else None
        return {**{key: getattr(self, key) for key in keys}, "metrics": list(self.metrics), "clusters": clusters}
