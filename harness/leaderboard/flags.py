"""What a reader must know before believing a row. One small function a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.leaderboard.board_model import Row
from harness.text import plain

FAULTY = 0.1
"""Share of labels that are not ok above which a row is flagged."""


class About(NamedTuple):
    """What the table of a row is: its leading metric, its baseline, and the largest number of tuning trials that one of its rows had."""

    metric: str
    baseline: str | None
    most_trials: int


def _standing(row: Row, about: About) -> str | None:
    return row.teacher_type if row.teacher_type != "real" else None


def _one_seed(row: Row, about: About) -> str | None:
    return "one seed" if row.random and row.runs == 1 else None


def _one_resample(row: Row, about: About) -> str | None:
    return "one resample" if row.resamples == 1 and row.runs > 1 else None


def _missing(row: Row, about: About) -> str | None:
    return "missing queries" if row.missing_queries else None


def _faulty_labels(row: Row, about: About) -> str | None:
    faulty = 1 - row.labels.get("ok", 1.0)
    return f"labels not ok: {faulty:.0%}" if faulty > FAULTY else None


def _control(row: Row, about: About) -> str | None:
    for against in (row.against, row.against_zero_shot):
        if row.category == "control" and against is not None and against.verdict == "better":
            return f"control beats {against.baseline}"
    return None


def _undone(row: Row, about: About) -> str | None:
    """The test holds for these runs; the interval is also over other resamples and seeds."""
    against = row.against
    if against is None or not against.verdict or against.interval is None:
        return None
    return "interval of the difference holds 0" if against.interval.low <= 0 <= against.interval.high else None


def _other_metric(row: Row, about: About) -> str | None:
    declared = row.metric_declared
    return f"not its declared metric {declared}" if declared not in (None, about.metric) else None


def _other_baseline(row: Row, about: About) -> str | None:
    declared = row.baseline_declared
    if row.against is None or not declared or about.baseline in declared:
        return None
    return plain(f"not its declared baseline {' or '.join(declared)}")


def _withheld(row: Row, about: About) -> str | None:
    return plain(f"declared but not published: {', '.join(row.missing_metrics)}") if row.missing_metrics else None


def _tuned_less(row: Row, about: About) -> str | None:
    return f"tuning trials: {row.trials} of {about.most_trials}" if row.random and row.trials < about.most_trials else None


FLAGS: tuple[Callable[[Row, About], str | None], ...] = (
    _standing,
    _one_seed,
    _one_resample,
    _missing,
    _faulty_labels,
    _control,
    _undone,
    _other_metric,
    _other_baseline,
    _withheld,
    _tuned_less,
)


def flags_of(row: Row, about: About) -> tuple[str, ...]:
    """Everything that is to be said of `row` in a table that is `about` this."""
    return tuple(flag for flag in (check(row, about) for check in FLAGS) if flag)
