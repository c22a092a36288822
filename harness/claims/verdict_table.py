"""All verdicts of a file of claims in one table, for first pages."""

from __future__ import annotations

from harness.claims.claim_report import ClaimReport
from harness.claims.claim_tables import claim_table, interval_text
from harness.claims.claim_verdict import ClaimVerdict
from harness.claims.collection_result import MISSING, CollectionResult

VERDICTS_ABOUT = (
    "On each collection: the difference from the rival that the claim hangs on there, and whether it is shown at the "
    "adjusted p. Open: the runs do not say; excluded: an advantage of the margin is ruled out; not reached: a check or "
    "claim before it is not shown there; runs missing: a rival has not run. Pooled: all collections together, from the "
    "rival that comes nearest. An undecided claim is neither shown nor refuted."
)


def verdict_table(report: ClaimReport) -> dict[str, list[str]]:
    """Columns by heading, a line for each frozen hypothesis: what it says, its verdict, how it stands on each
    collection, and the pooled difference from the rival that comes nearest."""
    collections = dict.fromkeys(result.collection for one in report.verdicts for result in one.results)
    return {
        "claim": [claim_table(one).title for one in report.verdicts],
        "verdict": [one.verdict for one in report.verdicts],
        **{name: [_standing(one, name) for one in report.verdicts] for name in collections},
        "pooled": [_pooled(one) for one in report.verdicts],
    }


def _standing(one: ClaimVerdict, collection: str) -> str:
    return next((_outcome(result) for result in one.results if result.collection == collection), "")


def _outcome(result: CollectionResult) -> str:
    if result.outcome == MISSING or result.worst is None:
        return "runs missing" if result.outcome == MISSING else result.outcome
    return f"{result.worst.difference.difference:+.3f} {result.outcome}"


def _pooled(one: ClaimVerdict) -> str:
    nearest = one.nearest
    if nearest is None or len(nearest.collections) < 2:
        return ""
    return f"{nearest.mean:+.3f} {interval_text(nearest.interval)}"
