"""What was claimed beforehand, for an exported page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dashboard.claims_on_disk import claims_summary, frozen_claims
from dashboard.export.grid import Grid, cell, column, grid
from harness.claims.claim_report import ABOUT, ClaimReport
from harness.claims.claim_tables import HEADINGS, claim_table, frozen_text
from harness.claims.forest_plot import MARKERS, forest_panels
from harness.claims.verdict_table import VERDICTS_ABOUT


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
    """Of the claims that runs say something of; without one there are no verdicts on the first page."""
    verdicts: Grid | None
    verdicts_about: str
    panels: tuple[str, ...]
    """Of the forest plot, each as SVG."""
    markers: str
    claims: tuple[ExportedClaim, ...]
    notes: tuple[str, ...]


def exported_claims(results: Path) -> ExportedClaims | None:
    """What they come to; None where nothing is frozen, or no run says anything of it."""
    report = frozen_claims(results)
    if report is None or not report.is_measured:
        return None
    summary = claims_summary(report)
    return ExportedClaims(
        report.claims.description,
        frozen_text(report).replace("`", ""),
        summary.sentences if summary else (),
        _verdicts(summary.verdicts) if summary else None,
        VERDICTS_ABOUT,
        tuple(forest_panels(report)),
        MARKERS,
        tuple(_claims(report)),
        (ABOUT, *report.notes),
    )


def _verdicts(columns: dict[str, list[str]]) -> Grid:
    lines = [[cell(text) for text in line] for line in zip(*columns.values(), strict=True)]
    return grid([column(name, "text", "wide" if name == "claim" else "tight") for name in columns], lines)


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
