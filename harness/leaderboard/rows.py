"""Rows of a table, each built once and whole: estimates, variance, comparisons, places and flags, over what the cards
say."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluation.significance.variance import variance
from harness.leaderboard.board_model import BaselineComparison, Row
from harness.leaderboard.flags import RowEvidence, flags_of
from harness.leaderboard.primary_metric import BASELINE
from harness.leaderboard.row_statistics import SEED, compare
from harness.leaderboard.row_texts import title
from harness.leaderboard.run_group import RunGroup
from harness.text import plain


def build_rows(group: RunGroup, seed: int = SEED, warnings: Sequence[str] = ()) -> list[Row]:
    """The rows of `group` by the numbers of its configurations; `warnings` are flags that all of them have."""
    measured, places = group.measured[group.metric], _places(group)
    against, against_zero_shot = _comparisons(group, seed)
    most_trials = max((facts.trials for facts in group.facts), default=0)
    rows = []
    for number, facts in enumerate(group.facts):
        compared, control = against.get(number), against_zero_shot.get(number)
        evidence = RowEvidence(facts, compared, control, plain(group.metric), plain(group.baseline), most_trials)
        row = Row(
            **vars(facts),
            metrics={
                plain(name): one.estimates[number] for name, one in group.measured.items() if number in one.estimates
            },
            variance=variance(measured.values[number], group.found[number].design)
            if number in measured.values
            else None,
            rank=places.get(number),
            against=compared,
            against_zero_shot=control,
            flags=(*warnings, *flags_of(evidence)),
        )
        rows.append(row)
    return rows


def board_order(group: RunGroup) -> list[int]:
    """Numbers of its configurations by the leading metric; those that see the answers come last."""
    estimates = group.measured[group.metric].estimates

    def place(number: int) -> tuple[bool, float, str, int]:
        facts, mean = group.facts[number], estimates[number].mean if number in estimates else 0.0
        return not _competes(group, number), -mean, facts.name, facts.budget or 0

    return sorted(range(len(group.facts)), key=place)


def _places(group: RunGroup) -> dict[int, int]:
    """Places of those that compete."""
    return {
        number: place for place, number in enumerate((one for one in board_order(group) if _competes(group, one)), 1)
    }


def _competes(group: RunGroup, number: int) -> bool:
    return (
        group.facts[number].teacher_type not in ("oracle", "simulated")
        and number in group.measured[group.metric].estimates
    )


def _comparisons(group: RunGroup, seed: int) -> tuple[dict[int, BaselineComparison], dict[int, BaselineComparison]]:
    """Every row against its baseline, and controls against zero-shot."""
    measured, names = group.measured[group.metric], _names(group)
    against = compare(measured, group.pairs, names, seed)
    if group.baseline == BASELINE:
        return against, {number: against[number] for number in group.controls}
    return against, compare(measured, group.controls, names, seed)


def _names(group: RunGroup) -> list[str]:
    """What the rows are called as baselines: their methods, or all that tells them apart where rows are tested against
    different ones."""
    several = len(set(group.pairs.values())) > 1
    return [title(facts) if several else facts.name for facts in group.facts]
