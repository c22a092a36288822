"""What claims come to, a sentence each: for first pages, which have no room for tables."""

from __future__ import annotations

from harness.claims.claim_report import ClaimReport
from harness.claims.claim_tables import interval_text
from harness.claims.claim_verdict import ClaimVerdict


def claim_sentences(report: ClaimReport) -> list[str]:
    """Of every frozen hypothesis that runs say something of, its verdict, why, and the pooled difference from the rival
    that comes nearest. Checks are none, nor is what was not reached; nothing where no run carries the freeze."""
    told = [one for one in report.verdicts if any(result.comparisons for result in one.results)]
    return [_sentence(one) for one in told if not one.hypothesis.check] if report.frozen is not None else []


def _sentence(one: ClaimVerdict) -> str:
    text = f"{one.name}, {one.hypothesis.statement or one.hypothesis.run}: {one.verdict}"
    text += f", {one.reason}" if one.reason else ""
    nearest = one.nearest
    if nearest is None:
        return f"{text}."
    over = (
        f"pooled over {len(nearest.collections)} collections"
        if len(nearest.collections) > 1
        else f"on {nearest.collections[0]}"
    )
    return f"{text}; {over} {nearest.mean:+.3f} {interval_text(nearest.interval)} against {nearest.rival}."
