"""What the collections together say of a hypothesis: holds, fails or undecided, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.claims.collection_result import EXCLUDED, MISSING, REVERSED, SHOWN, CollectionResult
from harness.claims.pooled_line import PooledDifference, pooled_lines, pooled_p
from harness.config.claims.claims_section import ClaimsSection, Hypothesis
from harness.text import counted

HOLDS, FAILS, UNDECIDED, UNFROZEN = "holds", "fails", "undecided", "exploratory"


@dataclass(frozen=True)
class ClaimVerdict:
    """One hypothesis over its collections."""

    name: str
    hypothesis: Hypothesis
    margin: float
    verdict: str
    reason: str
    results: tuple[CollectionResult, ...]
    pooled: tuple[PooledDifference, ...]
    """Over the collections that pass its checks."""
    needs: tuple[str, ...] = ()
    """What would decide it, a line a collection."""

    @property
    def nearest(self) -> PooledDifference | None:
        """The pooled difference from the rival that comes nearest; None where nothing is pooled."""
        return min(self.pooled, key=lambda line: line.mean, default=None)


def judge(section: ClaimsSection, results: Mapping[str, Sequence[CollectionResult]]) -> list[ClaimVerdict]:
    """The verdicts in the order of the file."""
    verdicts: dict[str, ClaimVerdict] = {}
    for name, hypothesis in section.hypotheses.items():
        verdicts[name] = _judged(name, hypothesis, section, results, verdicts)
    return list(verdicts.values())


def _judged(
    name: str,
    hypothesis: Hypothesis,
    section: ClaimsSection,
    results: Mapping[str, Sequence[CollectionResult]],
    before: Mapping[str, ClaimVerdict],
) -> ClaimVerdict:
    margin, found = section.margin_of(hypothesis), results[name]
    able = _able(name, section, results)
    tested = [one for one in found if one.collection in able and one.outcome != MISSING]
    pooled = pooled_lines(tested, hypothesis, margin)
    verdict, reason = _of(hypothesis, found, tested, pooled, margin, section.alpha)
    failing = [other for other in hypothesis.requires or () if before[other].verdict != HOLDS]
    if failing:
        verdict, reason = UNDECIDED, f"{' and '.join(failing)} must hold first"
    needs = [f"{one.collection}: {one.needs}" for one in found if one.needs] if verdict == UNDECIDED else []
    return ClaimVerdict(name, hypothesis, margin, verdict, reason, tuple(found), tuple(pooled), tuple(needs))


def _able(name: str, section: ClaimsSection, results: Mapping[str, Sequence[CollectionResult]]) -> set[str]:
    """Collections on which every check before the hypothesis was shown."""
    able = {one.collection for one in results[name]}
    for check in _checks(name, section):
        able &= {one.collection for one in results[check] if one.outcome == SHOWN}
    return able


def _checks(name: str, section: ClaimsSection) -> set[str]:
    one = section.hypotheses[name]
    before = [*(one.after or ()), *([one.instead_of] if one.instead_of else [])]
    return {
        check
        for other in before
        for check in (_checks(other, section) | ({other} if section.hypotheses[other].check else set()))
    }


def _of(
    hypothesis: Hypothesis,
    found: Sequence[CollectionResult],
    tested: Sequence[CollectionResult],
    pooled: Sequence[PooledDifference],
    margin: float,
    alpha: float,
) -> tuple[str, str]:
    places = {outcome: [one.collection for one in found if one.outcome == outcome] for outcome in (SHOWN, REVERSED)}
    missing = [one.collection for one in found if one.outcome == MISSING]
    if not found:
        return UNDECIDED, "no collection has runs to test it on"
    if missing:
        return UNDECIDED, "; ".join(f"{one.collection}: {one.reason}" for one in found if one.outcome == MISSING)
    if hypothesis.check:
        return _check(found, places[SHOWN])
    wanted = hypothesis.on or len(found)
    lacking = [name for name in hypothesis.including or () if name not in places[SHOWN]]
    together = not hypothesis.pooled or len(tested) < 2 or pooled_p(pooled, hypothesis) < alpha
    if len(places[SHOWN]) >= wanted and not lacking and not places[REVERSED] and together:
        return HOLDS, f"shown on {_of_all(places[SHOWN], found)}" + " and pooled" * (len(tested) > 1)
    if why := _refuted(hypothesis, found, tested, pooled, margin, places[REVERSED]):
        return FAILS, why
    return UNDECIDED, _why_open(places, found, tested, wanted, lacking, together)


def _check(found: Sequence[CollectionResult], places: Sequence[str]) -> tuple[str, str]:
    if len(places) == len(found):
        return HOLDS, f"shown on {_of_all(places, found)}"
    others = [one.collection for one in found if one.collection not in places]
    verdict = UNDECIDED if places else FAILS
    return verdict, f"{', '.join(others)} cannot tell: nothing is claimed there"


def _refuted(
    hypothesis: Hypothesis,
    found: Sequence[CollectionResult],
    tested: Sequence[CollectionResult],
    pooled: Sequence[PooledDifference],
    margin: float,
    reversed_: Sequence[str],
) -> str:
    """Why it fails; empty where it does not."""
    if len(reversed_) >= (hypothesis.reversed_on or min(2, len(found))):
        return f"the opposite is shown on {', '.join(reversed_)}"
    if not tested:
        return ""
    over = any if hypothesis.several.all is not None else all
    if hypothesis.kind == "superior":
        places = [one for one in tested if one.collection in (hypothesis.including or [one.collection])]
        excluded = bool(places) and all(one.outcome in (EXCLUDED, REVERSED) for one in places)
        if excluded and over(line.interval.high < margin for line in pooled):
            names = ", ".join(one.collection for one in places)
            return f"an advantage of {margin:g} is excluded on {names} and pooled"
    elif len(tested) > 1 and over(line.interval.high < -margin for line in pooled):
        return f"pooled it is worse by more than {margin:g}"
    return ""


def _why_open(
    places: Mapping[str, Sequence[str]],
    found: Sequence[CollectionResult],
    tested: Sequence[CollectionResult],
    wanted: int,
    lacking: Sequence[str],
    together: bool,
) -> str:
    reasons = [f"shown on {_of_all(places[SHOWN], found)}, {wanted} must show it"]
    if len(tested) < wanted:
        reasons = [f"{counted(len(tested), 'collection')} of {len(found)} can tell, {wanted} must show it"]
    elif len(places[SHOWN]) >= wanted:
        reasons = []
    reasons += [f"not shown on {', '.join(lacking)}"] if lacking else []
    reasons += [f"the opposite is shown on {', '.join(places[REVERSED])}"] if places[REVERSED] else []
    reasons += [] if together else ["not shown pooled"]
    return "; ".join(reasons)


def _of_all(places: Sequence[str], found: Sequence[CollectionResult]) -> str:
    names = f" ({', '.join(places)})" if places else ""
    return f"{len(places)} of {counted(len(found), 'collection')}{names}"
