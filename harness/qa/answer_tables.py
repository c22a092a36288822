"""The answer of ``harness answer`` for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.evaluation.significance.comparison_tables import render_comparison
from harness.qa.examination import AnsweredRun, AnswerReport
from harness.text import counted, plain


def render_answers(report: AnswerReport) -> RenderableType:
    """A row a run with the means, what was asked and paid, then the comparison."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for name in report["runs"][0]["metrics"]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in report["runs"]:
        table.add_row(Text(plain(row["name"])), *(f"{value:.4f}" for value in row["metrics"].values()))
    parts: list[RenderableType] = [
        table,
        Text(_asked(report)),
        *(Text(note) for row in report["runs"] if (note := _lacking(row))),
    ]
    return Group(*parts, *(["", render_comparison(report["comparison"])] if report["comparison"] else []))


def _asked(report: AnswerReport) -> str:
    who = (
        "no reader"
        if report["reader"] is None
        else f"{plain(report['reader'])} shown {counted(report['passages'], 'passage')}"
    )
    silent = report["without_answers"]
    without = f", {silent} of them without gold answers and counted 0" if silent else ""
    paid = f"{report['llm']['calls']:,.0f} calls and {report['llm']['usd']:.2f} USD now"
    return (
        f"{plain(report['collection'])} ({plain(report['split'])}): "
        f"{counted(report['queries'], 'query')}{without}; {who}; {paid}"
    )


def _lacking(row: AnsweredRun) -> str:
    faults = [f"nothing for {counted(row['missing'], 'query')}"] if row["missing"] else []
    faults += [f"{counted(row['unknown'], 'document')} that the collection does not have"] if row["unknown"] else []
    return f"{plain(row['name'])}: {', '.join(faults)}" if faults else ""
