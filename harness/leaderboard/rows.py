"""Rows of a table, each built once and whole: estimates, variance, comparisons, places and flags, over what the cards
say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.evaluation.significance.method_difference import MethodRuns
from harness.evaluation.significance.variance import Variance, variance
from harness.leaderboard.board_model import AllBaselines, BaselineComparison, Row
from harness.leaderboard.flags import RowEvidence, flags_of
from harness.leaderboard.primary_metric import BASELINE
from harness.leaderboard.row_statistics import SEED, against_all, compare, rank_intervals
from harness.leaderboard.row_texts import title
from harness.leaderboard.run_group import RunGroup
from harness.text import plain


def build_rows(group: RunGroup, seed: int = SEED, warnings: Sequence[str] = ()) -> list[Row]:
    """The rows of `group` by the numbers of its configurations; `warnings` are flags that all of them have."""
    measured, places = group.measured[group.metric], _places(group)
    place_intervals = rank_intervals({number: measured.samples[number] for number in places if measured.samples})
    against = _comparisons(group, seed)
    against_zero_shot, together = _controls(group, against, seed), _together(against)
    most_trials = max((facts.trials for facts in group.facts), default=0)
    classes = Counter(name for facts in group.facts for name in facts.numerics)
    numerics = classes.most_common(1)[0][0] if classes else ""
    rows = []
    for number, facts in enumerate(group.facts):
        each = tuple(one[number] for one in against if number in one)
        compared, control = against[0].get(number) if against else None, against_zero_shot.get(number)
        named = plain(group.metric), plain(group.baseline)
        evidence = RowEvidence(facts, compared, control, *named, most_trials, numerics)
        row = Row(
            **vars(facts),
            metrics={
                plain(name): one.estimates[number] for name, one in group.measured.items() if number in one.estimates
            },
            variance=_variance(measured.runs.get(number)),
            rank=places.get(number),
            rank_interval=place_intervals.get(number),
            against=compared,
            against_each=each if len(against) > 1 else (),
            against_all=together.get(number),
            against_zero_shot=control,
            flags=(*warnings, *flags_of(evidence)),
        )
        rows.append(row)
    return rows


def _variance(runs: MethodRuns | None) -> Variance | None:
    return None if runs is None else variance(runs.values, runs.design)


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


def _comparisons(group: RunGroup, seed: int) -> list[dict[int, BaselineComparison]]:
    """Every row against its row of each baseline, all of them one family."""
    names = _names(group)
    pairs = [(row, other) for pairs in group.pairs_of_each for row, other in pairs.items()]
    found = iter(compare(group.measured[group.metric], pairs, names, seed))
    return [{row: next(found) for row in pairs} for pairs in group.pairs_of_each]


def _controls(
    group: RunGroup, against: Sequence[dict[int, BaselineComparison]], seed: int
) -> dict[int, BaselineComparison]:
    """Controls against zero-shot."""
    for name, known in zip(group.baselines, against, strict=True):
        if name == BASELINE:
            return {number: known[number] for number in group.controls if number in known}
    pairs = [*group.controls.items()]
    found = compare(group.measured[group.metric], pairs, _names(group), seed)
    return dict(zip(group.controls, found, strict=True))


def _together(against: Sequence[dict[int, BaselineComparison]]) -> dict[int, AllBaselines]:
    """What several baselines say of each row together; nothing with one."""
    if len(against) < 2:
        return {}
    rows = [row for row in against[0] if all(row in one for one in against)]
    return dict(zip(rows, against_all([[one[row] for one in against] for row in rows]), strict=True))


def _names(group: RunGroup) -> list[str]:
    """What the rows are called as baselines: their methods, or all that tells them apart where rows are tested against
    different ones."""
    several = any(len(set(pairs.values())) > 1 for pairs in group.pairs_of_each)
    return [title(facts) if several else facts.name for facts in group.facts]
