"""What leads a table: the metric that it is sorted and tested by, and the baseline row that each row is tested
against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.errors import UserError, did_you_mean
from harness.evaluation.metrics.lookup import metric as parse_metric
from harness.leaderboard.board_model import RowFacts
from harness.leaderboard.configuration import Configuration
from harness.leaderboard.row_statistics import Measured
from harness.published.result_folder import Published
from harness.text import plain

BASELINE = "zero-shot"
_ALIKE = ("student", "budget", "teacher", "ranker_loss", "retriever_loss")


def primary_metric(runs: Sequence[Published], metric: str | None) -> str:
    """`metric` where any of the runs has it, otherwise the measure that most of their sweeps report first."""
    known = dict.fromkeys(name for run in runs for name in run.scores)
    if metric in known:
        return metric
    firsts = Counter(next(iter([*run.card.research_goal.evaluation.reported_measures, *run.scores])) for run in runs)
    return next((name for name, _ in firsts.most_common() if name in known), next(iter(known)))


def wanted_metric(runs: Sequence[Published], metric: str | None) -> str | None:
    """`metric` as it is written in results. Raises UserError when no run has it."""
    if metric is None or not runs:
        return None
    wanted, known = str(parse_metric(metric)), {name for run in runs for name in run.scores}
    if wanted not in known:
        raise UserError(f"no run was evaluated by {wanted}", remedy=did_you_mean(wanted, map(plain, known)))
    return wanted


def usual_baseline(runs: Sequence[Published]) -> str:
    """The baseline that most cards name, or zero-shot."""
    named = Counter(name for run in runs for name in run.card.research_goal.evaluation.baseline)
    return named.most_common(1)[0][0] if named else BASELINE


def baseline_pairs(
    found: Sequence[Configuration], facts: Sequence[RowFacts], measured: Measured, baseline: str
) -> dict[int, int]:
    """For every other row the baseline row that is most like it; of equals one without a false teacher, then the one
    with the most settings in common, then the first by run id. Never the best: that would be a choice by the queries
    that it is tested on, and make false 'worse' of equally good rows."""
    methods = {number: found[number].card.method for number in measured.means}
    shown = [number for number, method in methods.items() if (method.label or method.name) == baseline]
    candidates = shown or [number for number, method in methods.items() if method.name == baseline]

    def nearest(number: int) -> int:
        own = found[number].own_settings
        return max(
            candidates,
            key=lambda other: (
                _likeness(facts[number], facts[other]),
                facts[other].teacher_type in (None, "real"),
                sum(found[other].own_settings.get(key) == value for key, value in own.items()),
                -other,
            ),
        )

    return {number: nearest(number) for number in measured.means if number not in candidates} if candidates else {}


def control_pairs(facts: Sequence[RowFacts], pairs: Mapping[int, int]) -> dict[int, int]:
    """Of `pairs` those of controls: rows that no knowledge of a teacher can have made better."""
    return {number: baseline for number, baseline in pairs.items() if facts[number].category == "control"}


def _likeness(row: RowFacts, other: RowFacts) -> int:
    return sum(getattr(row, key) == getattr(other, key) for key in _ALIKE)
