"""What a reader must know before believing a row. One small function a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.leaderboard.board_model import BaselineComparison, RowFacts
from harness.text import plain

FAULTY = 0.1
"""Share of labels that are not ok above which a row is flagged."""

FOLLOWING, COPYING = 0.5, 0.9
"""Kendall's tau with the order shown above which a row is flagged: where candidates were shuffled, and where they were
shown in the first stage's order, with which a good teacher agrees too."""
SHARED = 0.01
"""Part of the training queries that resamples have in common above which a row is flagged."""
SEEN = 0.01
"""Share of test queries with a relevant document that taught, above which a row is flagged."""
_SURE = 4.0
"""Standard deviations that it must be above chance."""


class RowEvidence(NamedTuple):
    """What a row is judged by: its facts and comparisons, and of its table the metric, the baseline, the most tuning
    trials of a row, and the numerics of most rows."""

    facts: RowFacts
    against: BaselineComparison | None
    against_zero_shot: BaselineComparison | None
    metric: str
    baseline: str
    most_trials: int
    numerics: str


def _teacher_type(row: RowEvidence) -> str | None:
    return row.facts.teacher_type if row.facts.teacher_type != "real" else None


def _one_seed(row: RowEvidence) -> str | None:
    return "one seed" if row.facts.random and row.facts.runs == 1 else None


def _one_resample(row: RowEvidence) -> str | None:
    return "one resample" if row.facts.resamples == 1 and row.facts.runs > 1 else None


def _shared_queries(row: RowEvidence) -> str | None:
    """What differs between resamples then says too little of luck with the draw."""
    part = row.facts.shared_queries
    return (
        f"resamples share {part:.0%} of their queries" if part and part >= SHARED and row.facts.resamples > 1 else None
    )


def _seen_in_training(row: RowEvidence) -> str | None:
    """A method that people's queries taught may know the passages that it is asked for."""
    share = row.facts.seen_in_training
    return f"test passages seen in training: {share:.0%}" if share and share >= SEEN else None


def _missing(row: RowEvidence) -> str | None:
    return "missing queries" if row.facts.missing_queries else None


def _faulty_collection(row: RowEvidence) -> str | None:
    return "faults in its collection" if row.facts.collection_faults else None


def _unchecked(row: RowEvidence) -> str | None:
    return f"plug-in not checked: {', '.join(row.facts.unchecked)}" if row.facts.unchecked else None


def _run_faults(row: RowEvidence) -> str | None:
    return plain("; ".join(row.facts.run_faults)) if row.facts.run_faults else None


def _faulty_labels(row: RowEvidence) -> str | None:
    faulty = 1 - row.facts.labels.get("ok", 1.0)
    return f"labels not ok: {faulty:.0%}" if faulty > FAULTY else None


def _prompts_cut(row: RowEvidence) -> str | None:
    share = row.facts.prompts_cut
    return f"prompts cut by the teacher's server: {share:.0%}" if share else None


def _parameters(row: RowEvidence) -> str | None:
    changed = ", ".join(f"{name} {text}" for name, text in row.facts.parameters.items())
    return plain(f"asked otherwise than set: {changed}") if changed else None


def _order_presented(row: RowEvidence) -> str | None:
    """Shown in another order than the first stage's, a teacher without bias has a tau near 0; in its order, a good one
    agrees with it too."""
    found = row.facts.order_presented
    if found is None or row.facts.teacher_type != "real" or found.tau < _SURE * found.deviation:
        return None
    if found.tau < (FOLLOWING if found.reordered else COPYING):
        return None
    return f"follows the order shown: tau {found.tau:.2f}{'' if found.reordered else ', not shuffled'}"


def _unlicensed(row: RowEvidence) -> str | None:
    return "licence of its labels not stated" if row.facts.unlicensed else None


def _control(row: RowEvidence) -> str | None:
    for against in (row.against, row.against_zero_shot):
        if row.facts.category == "control" and against is not None and against.verdict == "better":
            return f"control beats {against.baseline}"
    return None


def _these_runs_only(row: RowEvidence) -> str | None:
    """The test over queries holds for these runs; other resamples and seeds may undo it."""
    against = row.against
    if against is None or against.verdict or not against.verdict_runs:
        return None
    return f"{against.verdict_runs} with {'this run' if row.facts.runs == 1 else 'these runs'} only"


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


def _mixed_numerics(row: RowEvidence) -> str | None:
    """Rounding differs between devices and precisions, and so does what a training ends with."""
    own = row.facts.numerics
    if len(own) > 1:
        return f"computed in {' and '.join(own)}"
    return f"computed in {own[0]}, most rows in {row.numerics}" if own and own[0] != row.numerics else None


def _model_moved(row: RowEvidence) -> str | None:
    return f"model moved: {', '.join(row.facts.served)}" if len(row.facts.served) > 1 else None


def _several_builds(row: RowEvidence) -> str | None:
    return f"{row.facts.fingerprints} system fingerprints" if row.facts.fingerprints > 1 else None


def _cost_estimated(row: RowEvidence) -> str | None:
    return "cost estimated" if row.facts.estimated and row.facts.cost.get("usd") else None


def _changed(row: RowEvidence) -> str | None:
    return plain(f"not as its card says: {', '.join(row.facts.changed)}") if row.facts.changed else None


def _price_unknown(row: RowEvidence) -> str | None:
    return None if row.facts.priced else "price not known"


FLAGS: tuple[Callable[[RowEvidence], str | None], ...] = (
    _teacher_type,
    _one_seed,
    _one_resample,
    _shared_queries,
    _seen_in_training,
    _missing,
    _faulty_collection,
    _unchecked,
    _run_faults,
    _faulty_labels,
    _prompts_cut,
    _parameters,
    _order_presented,
    _unlicensed,
    _control,
    _these_runs_only,
    _other_metric,
    _other_baseline,
    _unpublished,
    _tuned_less,
    _mixed_numerics,
    _model_moved,
    _several_builds,
    _cost_estimated,
    _price_unknown,
    _changed,
)


def flags_of(row: RowEvidence) -> tuple[str, ...]:
    """Everything that a reader of the row must know."""
    return tuple(flag for flag in (check(row) for check in FLAGS) if flag)
