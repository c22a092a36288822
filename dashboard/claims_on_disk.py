"""The files of claims where the dashboard was started."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.claims.claim_report import ClaimReport, claim_report, results_of_claims
from harness.claims.claim_sentences import claim_sentences
from harness.claims.forest_plot import forest_panels
from harness.claims.verdict_table import verdict_table
from harness.errors import UserError

_FOLDERS = (Path(), Path("configs"))
_HYPOTHESES = re.compile(r"^hypotheses:", re.MULTILINE)


def claims_files() -> list[str]:
    """Those that say `hypotheses`, frozen ones first. None of the results folder, which may be a stranger's."""
    found = [file for folder in _FOLDERS for file in sorted(folder.glob("*.yaml"))]
    named = [file for file in found if _HYPOTHESES.search(file.read_text(encoding="utf-8", errors="replace"))]
    return [file.as_posix() for file in sorted(named, key=lambda file: not file.with_suffix(".frozen.json").is_file())]


def claims_marks() -> tuple[tuple[str, int], ...]:
    """The YAML files and freezes that claims may rest on, each with the time of its last change."""
    found = [file for folder in _FOLDERS for form in ("*.yaml", "*.frozen.json") for file in sorted(folder.glob(form))]
    return tuple((file.as_posix(), file.stat().st_mtime_ns) for file in found)


def frozen_file() -> Path | None:
    """The first of them that is frozen."""
    first = next(iter(claims_files()), None)
    return Path(first) if first is not None and Path(first).with_suffix(".frozen.json").is_file() else None


def frozen_claims(results: Path) -> ClaimReport | None:
    """What it comes to; None where none is frozen, or it is wrong, as the page of claims tells."""
    file = frozen_file()
    try:
        return None if file is None else claim_report(file, results_of_claims(file, results))
    except UserError:
        return None


@dataclass(frozen=True)
class ClaimsSummary:
    """Frozen claims, as much of them as a first page has room for."""

    question: str
    sentences: tuple[str, ...]
    """One for each claim, no check, that runs say something of."""
    verdicts: dict[str, list[str]]
    """Columns by heading, checks too."""
    panels: tuple[str, ...]
    """Of the forest plot, each as SVG."""


def claims_summary(report: ClaimReport | None) -> ClaimsSummary | None:
    """None where no run says anything of a frozen claim."""
    sentences = () if report is None else tuple(claim_sentences(report))
    if report is None or not sentences:
        return None
    return ClaimsSummary(report.claims.description, sentences, verdict_table(report), tuple(forest_panels(report)))
