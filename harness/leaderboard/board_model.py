"""What a board is: tables of rows, ready to be shown. All numbers on screen come from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.variance import Variance
from harness.method import Category
from harness.published.result_folder import Skipped

ALPHA = 0.05


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
        return {"mean": self.mean, "interval": self.interval, "runs_interval": self.runs_interval, "deviation": self.deviation}


@dataclass(frozen=True)
class BaselineComparison:
    """A row against its baseline on the leading metric, paired over queries, runs averaged first."""

    baseline: str
    difference: float
    interval: Interval | None
    p: float
    p_adjusted: float

    @property
    def verdict(self) -> str:
        """'better' or 'worse' where the adjusted p is below 0.05, otherwise ''."""
        if self.p_adjusted >= ALPHA:
            return ""
        return "better" if self.difference > 0 else "worse"

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        numbers = {"difference": self.difference, "interval": self.interval, "p": self.p, "p_adjusted": self.p_adjusted}
        return {"baseline": self.baseline, **numbers, "verdict": self.verdict}


_TEXTS = (
    "collection",
    "split",
    "content_hash",
    "method",
    "variant",
    "category",
    "teacher",
    "teacher_type",
    "ranker_loss",
    "retriever_loss",
)
_NUMBERS = ("student", "budget", "runs", "resamples", "trials", "rank", "missing_queries", "cost", "labels")
FORMER_KEYS = {"group": "category", "standing": "teacher_type", "missing": "missing_queries"}
"""Keys of the JSON that other programs read already, and what they are called now; both are written."""


@dataclass(frozen=True)
class Row:
    """One configuration: all its resamples and seeds together."""

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
    random: bool
    """True where another resample or seed would give another result."""
    metrics: dict[str, Estimate]
    cost: dict[str, float]
    """Means over the runs: calls, input_tokens, output_tokens, usd (every label at its price), usd_here, train_seconds, seconds (labelling
    as if nothing had been paid before, where the cards know that), seconds_here (as each stage took when it was made); and, unless a card
    does not tell, labels_used and its parts labels_teacher, labels_written and labels_gold."""
    labels: dict[str, float]
    """Share of labels by verdict; empty without a teacher."""
    missing_queries: int
    """Most queries that one of the runs misses."""
    flags: tuple[str, ...]
    run_ids: tuple[str, ...]
    """Ids of the runs."""
    metric_declared: str | None
    """The metric that its sweep leads with, as its cards say; None where they say nothing."""
    baseline_declared: tuple[str, ...]
    """The baselines that its sweep names."""
    missing_metrics: tuple[str, ...]
    """Metrics that its cards declare and for which it has no values."""
    variance: Variance | None = None
    """Of the leading metric, by source; None with one run."""
    rank: int | None = None
    """Place by the leading metric; None for rows that do not compete (oracle teachers)."""
    against: BaselineComparison | None = None
    against_zero_shot: BaselineComparison | None = None
    """For a control the comparison with zero-shot, whatever the baseline of its table is; None for all others."""

    @property
    def name(self) -> str:
        """Method and variant."""
        return f"{self.method} ({self.variant})" if self.variant else self.method

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        return {
            **{key: getattr(self, key) for key in _TEXTS + _NUMBERS},
            **{key: getattr(self, name) for key, name in FORMER_KEYS.items()},
            "sees": list(self.sees),
            "metrics": {name: estimate.as_json() for name, estimate in self.metrics.items()},
            "variance": self.variance.as_json() if self.variance else None,
            "declared": {"metric": self.metric_declared, "baseline": list(self.baseline_declared)},
            "against": self.against.as_json() if self.against else None,
            "against_zero_shot": self.against_zero_shot.as_json() if self.against_zero_shot else None,
            "flags": list(self.flags),
            "run_ids": list(self.run_ids),
            "tags": list(self.run_ids),
        }


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

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows, and the notes, which stand with those of the board."""
        keys = ("collection", "split", "content_hash", "queries", "metric", "baseline", "family")
        return {**{key: getattr(self, key) for key in keys}, "metrics": list(self.metrics)}


@dataclass(frozen=True)
class Board:
    """All tables of a results folder, and what could not be shown."""

    tables: tuple[Table, ...]
    skipped: tuple[Skipped, ...] = ()
    general: tuple[str, ...] = ()
    """Notes on the folder as a whole."""
    folder: str = field(default="", compare=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """On the folder, then on each table."""
        return (*self.general, *(note for table in self.tables for note in table.notes))

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        return {
            "rows": [row.as_json() for table in self.tables for row in table.rows],
            "tables": [table.as_json() for table in self.tables],
            "skipped": [{"folder": item.folder, "reason": item.reason} for item in self.skipped],
            "notes": list(self.notes),
        }
