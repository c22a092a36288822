"""What was claimed beforehand, for an exported page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dashboard.claims_on_disk import frozen_claims
from dashboard.export.grid import Grid, cell, column, grid
from harness.claims.claim_report import ABOUT, ClaimReport
from harness.claims.claim_sentences import claim_sentences
from harness.claims.claim_tables import HEADINGS, claim_table, frozen_text
from harness.claims.forest_plot import forest_plot


@dataclass(frozen=True)
class ExportedClaim:
    """One hypothesis."""

    title: str
    verdict: str
    rows: Grid | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ExportedClaims:
    """The frozen claims that lie where the site was made."""

    description: str
    frozen: str
    sentences: tuple[str, ...]
    picture: str
    claims: tuple[ExportedClaim, ...]
    notes: tuple[str, ...]


def exported_claims(results: Path) -> ExportedClaims | None:
    """What they come to; None where nothing is frozen, or no run says anything of it."""
    report = frozen_claims(results)
    if report is None or not report.is_measured:
        return None
    return ExportedClaims(
        report.claims.description,
        frozen_text(report).replace("`", ""),
        tuple(claim_sentences(report)),
        forest_plot(report),
        tuple(_claims(report)),
        (ABOUT, *report.notes),
    )


def _claims(report: ClaimReport) -> list[ExportedClaim]:
    columns = [column(name) for name in HEADINGS]
    found = map(claim_table, report.verdicts)
    return [
        ExportedClaim(
            one.title,
            one.verdict,
            grid(columns, [[cell(text) for text in row] for row in one.rows]) if one.rows else None,
            one.lines,
        )
        for one in found
    ]
