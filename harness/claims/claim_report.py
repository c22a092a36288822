"""The whole answer of ``harness claims``: what is frozen, what every hypothesis comes to, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.claims.claim_verdict import UNFROZEN, ClaimVerdict, judge
from harness.claims.claims_file import Claims, load_claims
from harness.claims.collection_result import CollectionResult, test_collections
from harness.claims.comparison_test import RivalComparison
from harness.claims.evidence import CONFIRMATION, EXPLORATORY, FROZEN, CollectionEvidence, by_state, gather
from harness.claims.freezing import Frozen, read_frozen, state_of
from harness.leaderboard.load_results import ResultSet, load_results

ABOUT = (
    "Each comparison is a t over queries and runs, paired by resample (Satterthwaite). Against all rivals: the largest "
    "p; against any: Holm. Hypotheses in a fixed order on each collection, each at full alpha; Holm over collections. "
    "Pooled: equal weights, these collections."
)


@dataclass(frozen=True)
class ClaimReport:
    """Verdicts over the frozen runs; beside them those over collections that the freeze does not know, and estimates
    from exploratory runs, which are no evidence."""

    claims: Claims
    frozen: Frozen | None
    is_changed: bool
    """Whether files say something else now than what was frozen."""
    verdicts: tuple[ClaimVerdict, ...]
    confirmation: tuple[ClaimVerdict, ...]
    exploratory: tuple[ClaimVerdict, ...]
    evidence: tuple[CollectionEvidence, ...]

    @property
    def is_measured(self) -> bool:
        """Whether any run says anything of any claim."""
        verdicts = (*self.verdicts, *self.confirmation, *self.exploratory)
        return any(result.comparisons for one in verdicts for result in one.results)

    @property
    def notes(self) -> list[str]:
        """What was missing and left out, by collection."""
        return [f"{one.name}: {note}" for one in self.evidence for note in one.notes]

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness claims --json``."""
        section = self.claims.section
        return {
            "file": str(self.claims.path),
            "description": self.claims.description,
            "metric": section.metric,
            "alpha": section.alpha,
            "margin": section.margin,
            "frozen": self.frozen and {"hash": self.frozen.hash, **self.frozen.model_dump(mode="json")},
            "changed_since": self.is_changed,
            "about": ABOUT,
            "claims": [_verdict_json(one) for one in self.verdicts],
            "confirmation": [_verdict_json(one) for one in self.confirmation],
            "exploratory": [_verdict_json(one) for one in self.exploratory],
            "collections": [
                {
                    "collection": one.name,
                    "state": one.state,
                    "content_hash": one.content_hash,
                    "queries": one.queries,
                    "clusters": one.clusters.count if one.clusters else None,
                }
                for one in self.evidence
            ],
            "notes": self.notes,
        }


def claim_report(file: str | Path, results: str | Path) -> ClaimReport:
    """The claims of `file` held against the runs of a results folder. Raises UserErrors where the file is wrong, or a
    name in it means several configurations."""
    return report_of(load_claims(file), load_results(Path(results)))


def results_of_claims(file: str | Path, results: str | Path) -> Path:
    """Where the runs lie that `file` speaks of: in a folder of its name below `results` where there is one, apart from
    other boards, else in `results`."""
    own = Path(results) / Path(file).stem
    return own if own.is_dir() else Path(results)


def report_of(claims: Claims, result_set: ResultSet) -> ClaimReport:
    """The same of claims and runs that were read already."""
    frozen = read_frozen(claims)
    groups = by_state(evidence := gather(claims, frozen, result_set.runs))
    changed = frozen is not None and frozen.state != state_of(claims)
    main = _verdicts(claims, groups.get(FROZEN, []))
    loose = [replace(one, verdict=UNFROZEN, needs=()) for one in _verdicts(claims, groups.get(EXPLORATORY, []))]
    if not any(one.measured for one in groups.get(FROZEN, [])):
        main = [
            replace(one, verdict=UNFROZEN, reason="no run carries the freeze" if frozen else "nothing is frozen")
            for one in main
        ]
    return ClaimReport(
        claims,
        frozen,
        changed,
        tuple(main),
        tuple(_verdicts(claims, groups[CONFIRMATION]) if CONFIRMATION in groups else ()),
        tuple(loose if any(one.measured for one in groups.get(EXPLORATORY, [])) else ()),
        tuple(evidence),
    )


def _verdicts(claims: Claims, evidence: Sequence[CollectionEvidence]) -> list[ClaimVerdict]:
    return judge(claims.section, test_collections(claims.section, evidence))


def _verdict_json(one: ClaimVerdict) -> dict[str, Any]:
    hypothesis = one.hypothesis
    return {
        "name": one.name,
        "statement": hypothesis.statement,
        "kind": hypothesis.kind,
        "check": hypothesis.check,
        "run": hypothesis.run,
        "rivals": {"all" if hypothesis.several.all is not None else "any": list(hypothesis.several.names)},
        "margin": one.margin,
        "sides": hypothesis.tails,
        "verdict": one.verdict,
        "reason": one.reason,
        "needs": list(one.needs),
        "pooled": [line._asdict() for line in one.pooled],
        "collections": [_result_json(result) for result in one.results],
    }


def _result_json(result: CollectionResult) -> dict[str, Any]:
    return {
        "collection": result.collection,
        "outcome": result.outcome,
        "reason": result.reason,
        "p": result.p,
        "p_adjusted": result.p_adjusted,
        "least_difference": _finite(result.least),
        "needs": result.needs,
        "comparisons": [_comparison_json(one) for one in result.comparisons],
    }


def _comparison_json(one: RivalComparison) -> dict[str, Any]:
    found = one.difference
    return {
        "rival": one.rival,
        "difference": found.difference,
        "interval": one.interval,
        "p": one.p,
        "queries": one.queries,
        "clusters": one.clusters,
        "runs": found.runs,
        "variance_queries": found.of_queries,
        "variance_runs": found.of_runs,
        "degrees_of_freedom": found.freedom,
        "shared_queries": found.shared,
        "notes": list(one.notes),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return value if value is not None and abs(value) < float("inf") and value == value else None
