"""Hypotheses on each collection, in their fixed order, and Holm over the collections of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.claims.comparison_test import RivalComparison, compare_runs_of, least_visible, what_would_decide
from harness.claims.evidence import CollectionEvidence
from harness.config.claims.claims_section import ClaimsSection, Hypothesis
from harness.evaluation.significance.corrections import correct

SHOWN, REVERSED, EXCLUDED, OPEN = "shown", "reversed", "excluded", "open"
NOT_REACHED, MISSING = "not reached", "missing"


@dataclass(frozen=True)
class CollectionResult:
    """A hypothesis on one collection."""

    collection: str
    comparisons: tuple[RivalComparison, ...]
    p: float
    """Over its rivals: the largest (all), or the smallest of Holm (any); 1 where something is missing."""
    reason: str = ""
    """Why it was not tested; empty where it was."""
    p_adjusted: float = 1.0
    """Holm over collections; 1 where it was not reached."""
    outcome: str = OPEN
    """`SHOWN`, `REVERSED` (significantly the opposite), `EXCLUDED` (an advantage of the margin is), `OPEN`,
    `NOT_REACHED` or `MISSING`."""
    least: float | None = None
    """The least difference, or margin, that was to be seen here against one rival."""
    needs: str = ""
    """What would decide it; empty where it is decided."""

    @property
    def worst(self) -> RivalComparison | None:
        """The comparison that a claim over all rivals hangs on."""
        return max(self.comparisons, key=lambda one: (one.p, -one.difference.difference), default=None)


def test_collections(
    section: ClaimsSection, evidence: Sequence[CollectionEvidence]
) -> dict[str, list[CollectionResult]]:
    """The results of every hypothesis on each of its collections, by the hypothesis' name."""
    results: dict[str, list[CollectionResult]] = {}
    for name, hypothesis in section.hypotheses.items():
        margin = section.margin_of(hypothesis)
        raw = [
            _sequenced(_tested(one, hypothesis, margin), hypothesis, results, section.alpha)
            for one in evidence
            if _is_about(hypothesis, one)
        ]
        results[name] = _adjusted(raw, hypothesis, margin, section.alpha)
    return results


def _is_about(hypothesis: Hypothesis, evidence: CollectionEvidence) -> bool:
    if hypothesis.collections is not None:
        return evidence.name in hypothesis.collections
    return hypothesis.run in evidence.planned and any(name in evidence.planned for name in hypothesis.several.names)


def _tested(evidence: CollectionEvidence, hypothesis: Hypothesis, margin: float) -> CollectionResult:
    """A rival that no sweep plans on the collection is none there; one that is planned and missing leaves it open."""
    rivals = [name for name in hypothesis.several.names if name in evidence.planned]
    wanted = [hypothesis.run, *(rivals or hypothesis.several.names)]
    absent = [name for name in wanted if name not in evidence.measured]
    known = [name for name in rivals if name in evidence.measured] if hypothesis.run in evidence.measured else []
    if evidence.queries < 2:
        known = []
    found = tuple(compare_runs_of(evidence, hypothesis.run, name, hypothesis, margin) for name in known)
    if absent or not found:
        lacking = f"no runs of {', '.join(absent)}" if absent else "fewer than two queries"
        return CollectionResult(evidence.name, found, 1.0, lacking, outcome=MISSING)
    p = np.array([one.p for one in found])
    whole = float(p.max()) if hypothesis.several.all is not None else float(correct(p, "holm").min())
    return CollectionResult(evidence.name, found, whole)


def _sequenced(
    result: CollectionResult, hypothesis: Hypothesis, before: Mapping[str, list[CollectionResult]], alpha: float
) -> CollectionResult:
    """The result, or that its turn does not come."""
    if result.outcome == MISSING:
        return result
    for name in hypothesis.after or ():
        if not _passed(before[name], result.collection, alpha):
            return replace(result, outcome=NOT_REACHED, reason=f"{name} is not shown here")
    if hypothesis.instead_of:
        other = _at(before[hypothesis.instead_of], result.collection)
        if other is None or other.outcome in (NOT_REACHED, MISSING):
            return replace(result, outcome=NOT_REACHED, reason=f"{hypothesis.instead_of} was not tested here")
        if other.p < alpha:
            return replace(result, outcome=NOT_REACHED, reason=f"{hypothesis.instead_of} is shown here")
    return result


def _passed(results: Sequence[CollectionResult], collection: str, alpha: float) -> bool:
    """Shown in the sequence: at full alpha, before Holm over collections."""
    found = _at(results, collection)
    return found is not None and found.outcome not in (NOT_REACHED, MISSING) and found.p < alpha


def _at(results: Sequence[CollectionResult], collection: str) -> CollectionResult | None:
    return next((one for one in results if one.collection == collection), None)


def _adjusted(
    results: list[CollectionResult], hypothesis: Hypothesis, margin: float, alpha: float
) -> list[CollectionResult]:
    """With Holm over collections; a check is none of a family."""
    if not results:
        return []
    p = np.array([1.0 if one.outcome in (NOT_REACHED, MISSING) else one.p for one in results])
    adjusted = correct(p, "none" if hypothesis.check else "holm").tolist()
    return [
        _judged(replace(one, p_adjusted=p_adjusted), hypothesis, margin, alpha)
        for one, p_adjusted in zip(results, adjusted, strict=True)
    ]


def _judged(result: CollectionResult, hypothesis: Hypothesis, margin: float, alpha: float) -> CollectionResult:
    worst = result.worst
    if worst is None:
        return result
    least = least_visible(worst.difference, hypothesis, alpha)
    if result.outcome in (NOT_REACHED, MISSING):
        return replace(result, least=least)
    outcome = _outcome(result, hypothesis, margin, alpha)
    needs = what_would_decide(worst, hypothesis, margin, alpha) if outcome == OPEN else ""
    return replace(result, least=least, outcome=outcome, needs=needs)


def _outcome(result: CollectionResult, hypothesis: Hypothesis, margin: float, alpha: float) -> str:
    if result.p_adjusted < alpha:
        return SHOWN
    # With all, one rival that is better refutes; with any, every one must be.
    over = any if hypothesis.several.all is not None else all
    null = 0.0 if hypothesis.kind == "superior" else -margin
    opposite = [one.below(null) < alpha / 2 for one in result.comparisons]
    if hypothesis.kind == "equivalent":
        opposite = [one.below(-margin) < alpha / 2 or one.above(margin) < alpha / 2 for one in result.comparisons]
    if over(opposite):
        return REVERSED
    if hypothesis.kind == "superior" and over(one.below(margin) < alpha for one in result.comparisons):
        return EXCLUDED
    return OPEN
