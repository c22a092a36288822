"""One run against one rival on one collection, by the t over queries and runs, paired by resample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.claims.detectable_difference import Spread, least_difference, queries_needed_with, runs_needed
from harness.claims.evidence import CollectionEvidence, Measurement
from harness.claims.query_run_t import PairedDifference, mean_difference
from harness.config.claims.claims_section import Hypothesis
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.resample_overlap import overlap_factor


@dataclass(frozen=True)
class RivalComparison:
    """The difference to one rival, and what a hypothesis makes of it."""

    rival: str
    difference: PairedDifference
    p: float
    """Of the hypothesis about this rival alone; 1 where one run does not say how much runs differ."""
    notes: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval:
        """95 %, two-sided, over queries and runs."""
        return self.difference.interval()


def compare_runs_of(
    evidence: CollectionEvidence, run: str, rival: str, hypothesis: Hypothesis, margin: float
) -> RivalComparison:
    """`run` against `rival` on a collection where both were measured."""
    ours, theirs = evidence.measured[run], evidence.measured[rival]
    shared, notes = _shared(ours, theirs, hypothesis)
    differences = paired_differences(ours, theirs)
    found = mean_difference(differences, shared)
    if found.runs == 1 and (_is_random(ours) or _is_random(theirs)):
        return RivalComparison(rival, found, 1.0, (*notes, "one run only: how much runs differ is not known"))
    return RivalComparison(rival, found, p_of(found, hypothesis, margin), notes)


def p_of(found: PairedDifference, hypothesis: Hypothesis, margin: float) -> float:
    """p of the hypothesis, one-sided or, where its test has two sides, twice that."""
    if hypothesis.kind == "superior":
        return min(1.0, hypothesis.tails * found.above(0.0))
    if hypothesis.kind == "non-inferior":
        return found.above(-margin)
    return max(found.above(-margin), found.below(margin))


def paired_differences(ours: Measurement, theirs: Measurement) -> Array:
    """(queries, units): ours minus theirs in the same resample, seeds of one averaged; a run that no draw changes is
    held against each. Where the two have no draw in common they are paired in their order."""
    mine, other = _by_unit(ours), _by_unit(theirs)
    common = [unit for unit in mine if unit in other]
    if common:
        pairs = [(mine[unit], other[unit]) for unit in common]
    elif len(mine) == 1 or len(other) == 1:
        pairs = [(one, two) for one in mine.values() for two in other.values()]
    else:
        pairs = list(zip(mine.values(), other.values(), strict=False))
    return np.column_stack([one - two for one, two in pairs])


def _by_unit(one: Measurement) -> dict[tuple[str, int | None], Array]:
    """Per-query values of each unit of runs: a resample, or a seed where all runs have one resample."""
    several = len({resample for resample, _ in one.design}) > 1
    units: dict[tuple[str, int | None], list[Array]] = {}
    for place, (resample, seed) in enumerate(one.design):
        key = ("resample", resample) if several or (resample is not None and _one_seed(one)) else ("seed", seed)
        units.setdefault(key, []).append(one.values[:, place])
    return {key: np.mean(columns, axis=0) for key, columns in units.items()}


def _one_seed(one: Measurement) -> bool:
    return len({seed for _, seed in one.design}) == 1


def _is_random(one: Measurement) -> bool:
    return any(part is not None for pair in one.design for part in pair)


def _shared(ours: Measurement, theirs: Measurement, hypothesis: Hypothesis) -> tuple[float | None, tuple[str, ...]]:
    if hypothesis.queries == "these":
        return 0.0, ("about these training queries: what resamples share is not counted in",)
    if len({resample for one in (ours, theirs) for resample, _ in one.design} - {None}) == 1:
        return 0.0, ("one resample: luck with the draw of training queries is not in it",)
    parts = [one.shared for one in (ours, theirs) if any(resample is not None for resample, _ in one.design)]
    if None in parts:
        return None, ("what resamples share cannot be known from the cards: luck with the draw may be told too small",)
    return max((part for part in parts if part is not None), default=0.0), ()


def spread_of(found: PairedDifference) -> Spread:
    """What a comparison varies by, as planning takes it."""
    shared = found.shared or 0.0
    factor = overlap_factor(shared, found.runs)
    luck = math.sqrt(found.of_runs * found.runs / factor) if math.isfinite(found.of_runs) else math.inf
    return Spread((found.of_queries * found.queries) ** 0.5, luck, found.queries, found.runs, shared)


def least_visible(found: PairedDifference, hypothesis: Hypothesis, alpha: float) -> float:
    """The least true difference to this rival (least margin, where a margin is tested) that was to be seen here."""
    return least_difference(spread_of(found), alpha, sides=hypothesis.tails)


def what_would_decide(found: PairedDifference, hypothesis: Hypothesis, margin: float, alpha: float) -> str:
    """How many resamples or queries would decide, were the true difference the one that was seen; 80 % power."""
    if not math.isfinite(found.error):
        return "resamples share all their queries: only a larger pool of training queries can tell"
    null = 0.0 if hypothesis.kind == "superior" else -margin
    room = found.mean - null if hypothesis.kind != "equivalent" else margin - abs(found.mean)
    aim, sides = "shows it", hypothesis.tails
    if room <= 0:
        # Nothing shows what does not seem to be so; what can be shown is that no advantage that matters is there.
        room = (margin if hypothesis.kind == "superior" else null) - found.mean
        aim, sides = (
            f"excludes an advantage of {margin:g}" if hypothesis.kind == "superior" else "shows the opposite",
            1,
        )
    if room <= 0:
        return "the difference lies on the border: no number of runs decides"
    spread = spread_of(found)
    runs = runs_needed(spread, room, alpha, sides) if found.runs > 1 else None
    queries = queries_needed_with(spread, room, alpha, sides)
    ways = [f"{runs} resamples on these queries"] if runs and runs > found.runs else []
    ways += [f"about {queries:,} queries with {found.runs} resamples"] if queries and queries > found.queries else []
    if not ways and (runs or queries):
        return f"more of the same: a difference of {room:.3f} {aim} here with a chance of 80 % only"
    return (
        f"{' or '.join(ways)} {aim}, if {found.mean:+.4f} is true"
        if ways
        else "no number of runs or queries up to a million"
    )
