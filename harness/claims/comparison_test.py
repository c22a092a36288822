"""One run against one rival on one collection, by the t over queries and runs, paired by resample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.claims.evidence import CollectionEvidence
from harness.config.claims.claims_section import Hypothesis
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of
from harness.evaluation.significance.planned_power import Spread, least_difference, queries_needed_with, runs_needed
from harness.text import counted


@dataclass(frozen=True)
class RivalComparison:
    """The difference to one rival, and what a hypothesis makes of it."""

    rival: str
    difference: MeanDifference
    p: float
    """Of the hypothesis about this rival alone; 1 where the runs do not say how much runs differ."""
    queries: int
    notes: tuple[str, ...] = ()

    @property
    def clusters(self) -> int | None:
        """Of its queries; None where each stands for itself."""
        return self.difference.count if self.difference.count < self.queries else None

    @property
    def interval(self) -> Interval:
        """95 %, two-sided, over queries and runs; the mean alone where nothing varies."""
        return interval_of(self.difference)

    def above(self, null: float) -> float:
        """One-sided p that the mean is not above `null`; 1 where nothing is known of the methods."""
        return 1.0 if self.difference.is_single else self.difference.p_above(null)

    def below(self, null: float) -> float:
        """One-sided p that the mean is not below `null`; 1 where nothing is known of the methods."""
        return 1.0 if self.difference.is_single else self.difference.p_below(null)


def interval_of(found: MeanDifference) -> Interval:
    """95 % of a difference; the mean alone where nothing varies."""
    return found.interval() or Interval(found.difference, found.difference)


def compare_runs_of(
    evidence: CollectionEvidence, run: str, rival: str, hypothesis: Hypothesis, margin: float
) -> RivalComparison:
    """`run` against `rival` on a collection where both were measured."""
    ours, theirs = evidence.measured[run], evidence.measured[rival]
    if hypothesis.queries == "these":
        ours, theirs = ours._replace(shared=0.0), theirs._replace(shared=0.0)
    found = difference_of(ours, theirs, evidence.clusters)
    p = 1.0 if found.is_single else p_of(found, hypothesis, margin)
    return RivalComparison(rival, found, p, len(ours.values), tuple(_notes(found, ours, theirs, hypothesis)))


def p_of(found: MeanDifference, hypothesis: Hypothesis, margin: float) -> float:
    """p of the hypothesis, one-sided or, where its test has two sides, twice that."""
    if hypothesis.kind == "superior":
        return min(1.0, hypothesis.tails * found.p_above(0.0))
    if hypothesis.kind == "non-inferior":
        return found.p_above(-margin)
    return found.p_within(margin)


def _notes(found: MeanDifference, ours: MethodRuns, theirs: MethodRuns, hypothesis: Hypothesis) -> Iterator[str]:
    random = [one for one in (ours, theirs) if one.is_random]
    if hypothesis.queries == "these" and any(one.has_resamples for one in random):
        yield "about these training queries: what resamples share is not counted in"
    elif found.shared is None:
        yield "what resamples share cannot be known from the cards: luck with the draw may be told too small"
    if any(len(one.design) == 1 for one in random):
        yield "one run only: how much runs differ is not known"
    elif found.is_single:
        yield "resamples share all their queries: luck with the draw is not known"
    elif random and not any(one.has_resamples for one in random):
        yield "one resample: luck with the draw of training queries is not in it"


def least_visible(found: MeanDifference, hypothesis: Hypothesis, alpha: float) -> float:
    """The least true difference to this rival (least margin, where a margin is tested) that was to be seen here."""
    if _tells_nothing(found):
        return math.inf
    return least_difference(Spread.of(found), alpha, sides=hypothesis.tails)


def _tells_nothing(found: MeanDifference) -> bool:
    return found.is_single or found.count < 2 or found.error == 0


def what_would_decide(one: RivalComparison, hypothesis: Hypothesis, margin: float, alpha: float) -> str:
    """How many resamples or queries would decide, were the true difference the one that was seen; 80 % power."""
    found = one.difference
    if _tells_nothing(found):
        return _unknown_needs(found)
    null = 0.0 if hypothesis.kind == "superior" else -margin
    room = found.difference - null if hypothesis.kind != "equivalent" else margin - abs(found.difference)
    aim, sides = "shows it", hypothesis.tails
    if room <= 0:
        # Nothing shows what does not seem to be so; what can be shown is that no advantage that matters is there.
        room = (margin if hypothesis.kind == "superior" else null) - found.difference
        aim, sides = (
            f"excludes an advantage of {margin:g}" if hypothesis.kind == "superior" else "shows the opposite",
            1,
        )
    if room <= 0:
        return "the difference lies on the border: no number of runs decides"
    spread = Spread.of(found)
    runs = runs_needed(spread, room, alpha, sides) if found.runs > 1 else None
    queries = queries_needed_with(spread, room, alpha, sides)
    ways = [f"{runs} resamples on these queries"] if runs and runs > found.runs else []
    if queries and queries > spread.queries:
        units = counted(queries, "query") if one.clusters is None else f"{counted(queries, 'cluster')} of queries"
        ways.append(f"about {units}" + f" with {counted(found.runs, 'resample')}" * (found.runs > 1))
    if not ways and (runs or queries):
        return f"more of the same: a difference of {room:.3f} {aim} here with a chance of 80 % only"
    return (
        f"{' or '.join(ways)} {aim}, if {found.difference:+.4f} is true"
        if ways
        else "no number of runs or queries up to a million"
    )


def _unknown_needs(found: MeanDifference) -> str:
    if not found.is_single:
        return "how much queries differ is not known here: it takes more of them, or of their clusters"
    if found.runs > 1:
        return "resamples share all their queries: only a larger pool of training queries can tell"
    return "one run tells nothing of the method: three resamples at least"
