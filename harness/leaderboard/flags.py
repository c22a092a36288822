"""What a reader must know before believing a row. One small function a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.leaderboard.board_model import BaselineComparison, RowFacts
from harness.text import plain

FAULTY = 0.1
"""Share of labels that are not ok above which a row is flagged."""


class RowEvidence(NamedTuple):
    """What a row is judged by: its facts and comparisons, and of its table the metric, the baseline and the most tuning
    trials of a row."""

    facts: RowFacts
    against: BaselineComparison | None
    against_zero_shot: BaselineComparison | None
    metric: str
    baseline: str
    most_trials: int


def _teacher_type(row: RowEvidence) -> str | None:
    return row.facts.teacher_type if row.facts.teacher_type != "real" else None


def _one_seed(row: RowEvidence) -> str | None:
    return "one seed" if row.facts.random and row.facts.runs == 1 else None


def _one_resample(row: RowEvidence) -> str | None:
    return "one resample" if row.facts.resamples == 1 and row.facts.runs > 1 else None


def _missing(row: RowEvidence) -> str | None:
    return "missing queries" if row.facts.missing_queries else None


def _faulty_collection(row: RowEvidence) -> str | None:
    return "faults in its collection" if row.facts.collection_faults else None


def _faulty_labels(row: RowEvidence) -> str | None:
    faulty = 1 - row.facts.labels.get("ok", 1.0)
    return f"labels not ok: {faulty:.0%}" if faulty > FAULTY else None


def _control(row: RowEvidence) -> str | None:
    for against in (row.against, row.against_zero_shot):
        if row.facts.category == "control" and against is not None and against.verdict == "better":
            return f"control beats {against.baseline}"
    return None


def _interval_holds_zero(row: RowEvidence) -> str | None:
    """The test holds for these runs; the interval is also over other resamples and seeds."""
    against = row.against
    if against is None or not against.verdict or against.interval is None:
        return None
    return "interval of the difference holds 0" if against.interval.low <= 0 <= against.interval.high else None


def _other_metric(row: RowEvidence) -> str | None:
    declared = row.facts.metric_declared
    return f"not its declared metric {declared}" if declared not in (None, row.metric) else None


def _other_baseline(row: RowEvidence) -> str | None:
    declared = row.facts.baseline_declared
    if row.against is None or not declared or row.baseline in declared:
        return None
    return plain(f"not its declared baseline {' or '.join(declared)}")


def _unpublished(row: RowEvidence) -> str | None:
    return (
        plain(f"declared but not published: {', '.join(row.facts.missing_metrics)}")
        if row.facts.missing_metrics
        else None
    )


def _tuned_less(row: RowEvidence) -> str | None:
    return (
        f"tuning trials: {row.facts.trials} of {row.most_trials}"
        if row.facts.random and row.facts.trials < row.most_trials
        else None
    )


FLAGS: tuple[Callable[[RowEvidence], str | None], ...] = (
    _teacher_type,
    _one_seed,
    _one_resample,
    _missing,
    _faulty_collection,
    _faulty_labels,
    _control,
    _interval_holds_zero,
    _other_metric,
    _other_baseline,
    _unpublished,
    _tuned_less,
)


def flags_of(row: RowEvidence) -> tuple[str, ...]:
    """Everything that a reader of the row must know."""
    return tuple(flag for flag in (check(row) for check in FLAGS) if flag)
