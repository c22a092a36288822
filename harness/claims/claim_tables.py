"""Claims for people: a table for each hypothesis with its verdict in a sentence, in the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.claims.claim_report import ABOUT, ClaimReport
from harness.claims.claim_verdict import ClaimVerdict
from harness.claims.collection_result import CollectionResult
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.comparison_tables import p_text

HEADINGS = ("collection", "queries", "against", "difference", "95 %", "p", "p adj.", "outcome")


@dataclass(frozen=True)
class ClaimTable:
    """One hypothesis as people read it."""

    name: str
    title: str
    verdict: str
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    """What stands below: what would decide it, and what to know of comparisons."""


def claim_table(one: ClaimVerdict) -> ClaimTable:
    """Of a verdict, with a row for every collection and rival, and the pooled lines at the end."""
    rows = [row for result in one.results for row in _rows(result)]
    for line in one.pooled:
        if len(line.collections) > 1:
            numbers = (f"{line.mean:+.4f}", interval_text(line.interval), p_text(line.p))
            rows.append(("pooled", "", line.rival, *numbers, "", f"{len(line.collections)} collections"))
    notes = dict.fromkeys(
        f"{result.collection}, {comparison.rival}: {note}"
        for result in one.results
        for comparison in result.comparisons
        for note in comparison.notes
    )
    elsewhere = [
        f"on collections like these, against {line.rival}: {interval_text(line.elsewhere)} (decides nothing)"
        for line in one.pooled
        if line.elsewhere is not None
    ]
    needs = [f"to decide: {line}" for line in one.needs]
    why = [f"{result.collection}: {result.outcome}, {result.reason}" for result in one.results if result.reason]
    verdict = f"{one.verdict}: {one.reason}" if one.reason else one.verdict
    return ClaimTable(one.name, _title(one), verdict, tuple(rows), (*why, *needs, *_least(one), *elsewhere, *notes))


def _least(one: ClaimVerdict) -> list[str]:
    """What each collection could have shown at all."""
    what = "difference" if one.hypothesis.kind == "superior" else "margin"
    least = [
        f"{result.collection} {result.least:.3f}"
        for result in one.results
        if result.least is not None and result.least < float("inf")
    ]
    return [f"least {what} to be seen (80 % power, one rival, before Holm): {', '.join(least)}"] if least else []


def _title(one: ClaimVerdict) -> str:
    hypothesis = one.hypothesis
    rivals = (" and " if hypothesis.several.all is not None else " or ").join(hypothesis.several.names)
    what = {
        "superior": f"{hypothesis.run} is better than {rivals}",
        "non-inferior": f"{hypothesis.run} is not worse than {rivals} by {one.margin:g}",
        "equivalent": f"{hypothesis.run} is as good as {rivals}, give or take {one.margin:g}",
    }[hypothesis.kind]
    check = " (a check)" if hypothesis.check else ""
    return f"{one.name}{check}: {hypothesis.statement or what}"


def _rows(result: CollectionResult) -> Iterator[tuple[str, ...]]:
    if not result.comparisons:
        yield (result.collection, *[""] * (len(HEADINGS) - 2), result.outcome)
    for number, comparison in enumerate(result.comparisons):
        found = comparison.difference
        numbers = (f"{found.difference:+.4f}", interval_text(comparison.interval), p_text(comparison.p))
        queries = f"{comparison.queries:,}" + (f" in {comparison.clusters:,}" if comparison.clusters else "")
        measured = (f"{queries} x {found.runs}", comparison.rival, *numbers)
        yield (
            ("", *measured, "", "")
            if number
            else (result.collection, *measured, p_text(result.p_adjusted), result.outcome)
        )


def interval_text(bounds: Interval) -> str:
    """Both ends with their signs."""
    return f"[{bounds.low:+.4f}, {bounds.high:+.4f}]"


def frozen_text(report: ClaimReport) -> str:
    """What the verdicts rest on, in a sentence."""
    if report.frozen is None:
        return (
            f"not frozen: run `harness claims {report.claims.path} --freeze` before the sweeps; until then exploratory"
        )
    text = f"frozen {report.frozen.since:%Y-%m-%d %H:%M} UTC as {report.frozen.hash[:12]}"
    return (
        f"{text}; hypotheses or sweeps were CHANGED since, so new runs are exploratory" if report.is_changed else text
    )


def _parts(report: ClaimReport) -> Iterator[tuple[str, Sequence[ClaimVerdict]]]:
    yield "", report.verdicts
    if report.confirmation:
        yield "Confirmation, on collections that were not frozen with the claims", report.confirmation
    if report.exploratory:
        yield "Exploratory: no evidence for any verdict", report.exploratory


def claims_terminal(report: ClaimReport) -> Group:
    """Everything, in the order of the file."""
    parts: list[RenderableType] = [Text(frozen_text(report), style="bold")]
    for heading, verdicts in _parts(report):
        parts += [Text(f"\n{heading}", style="bold yellow")] if heading else []
        for one in verdicts:
            parts += ["", *_rich(claim_table(one))]
    return Group(*parts, "", Text(ABOUT, style="dim"), *(Text(f"note: {note}") for note in report.notes))


def _rich(one: ClaimTable) -> list[RenderableType]:
    table = Table(title=Text(one.title, style="bold"), title_justify="left", box=None, padding=(0, 1, 0, 0))
    for heading in HEADINGS:
        justify: Literal["left", "right"] = "left" if heading in ("collection", "against", "outcome") else "right"
        table.add_column(Text(heading), justify=justify, overflow="fold", min_width=8 if justify == "left" else None)
    for row in one.rows:
        table.add_row(*map(Text, row))
    verdict = Text(one.verdict, style="green" if one.verdict.startswith("holds") else "yellow")
    return [*([table] if one.rows else [Text(one.title, style="bold")]), verdict, *map(Text, one.lines)]


def claims_markdown(report: ClaimReport) -> str:
    """The same as a Markdown document, the verdicts first."""
    lines = [frozen_text(report), "", "| claim | verdict | why |", "|---|---|---|"]
    lines += [f"| {_cell(_title(one))} | **{one.verdict}** | {_cell(one.reason)} |" for one in report.verdicts]
    for heading, verdicts in _parts(report):
        lines += ["", f"## {heading}"] if heading else []
        for one in verdicts:
            table = claim_table(one)
            lines += ["", f"### {table.title}", "", f"**{table.verdict}**"]
            if table.rows:
                lines += ["", f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
                lines += [f"| {' | '.join(map(_cell, row))} |" for row in table.rows]
            lines += ["", *(f"- {line}" for line in table.lines)] if table.lines else []
    lines += ["", ABOUT, "", *(f"- {note}" for note in report.notes)]
    return "\n".join(lines).rstrip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
