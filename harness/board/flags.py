"""What a reader must know before believing a row. One small function a flag."""

from __future__ import annotations

from collections.abc import Callable

from harness.board.model import Row

FAULTY = 0.1
"""Share of labels that are not ok above which a row is flagged."""


def _standing(row: Row) -> str | None:
    return row.standing if row.standing != "real" else None


def _one_seed(row: Row) -> str | None:
    return "one seed" if row.random and row.runs == 1 else None


def _missing(row: Row) -> str | None:
    return "missing queries" if row.missing else None


def _faulty_labels(row: Row) -> str | None:
    faulty = 1 - row.labels.get("ok", 1.0)
    return f"labels not ok: {faulty:.0%}" if faulty > FAULTY else None


def _control(row: Row) -> str | None:
    better = row.against is not None and row.against.verdict == "better"
    return f"control beats {row.against.baseline}" if row.against and better and row.group == "control" else None


FLAGS: tuple[Callable[[Row], str | None], ...] = (_standing, _one_seed, _missing, _faulty_labels, _control)


def flags_of(row: Row, most_trials: int = 0) -> tuple[str, ...]:
    """Everything that is to be said of `row`; `most_trials` is the largest number of tuning trials that a row of its table had."""
    return tuple(flag for flag in (*(check(row) for check in FLAGS), _tuned_less(row, most_trials)) if flag)


def _tuned_less(row: Row, most_trials: int) -> str | None:
    return f"tuning trials: {row.trials} of {most_trials}" if row.random and row.trials < most_trials else None
