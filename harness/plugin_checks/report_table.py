"""The report of a check for people."""

from __future__ import annotations

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.plugin_checks.check import CheckReport

_MARKS = {"kept": "kept", "broken": "[bold red]BROKEN[/]", "not checked": "[dim]not checked[/]"}


def render_report(report: CheckReport) -> Group:
    """A line for every contract; under the table what was seen of each broken one, and how to mend it."""
    table = Table("contract", "", f"a {report.kind} ...", box=None)
    for one in report.contracts:
        table.add_row(
            one.contract,
            _MARKS[one.state],
            escape(one.demands + (f" ({one.detail})" if one.state == "not checked" else "")),
        )
    told = [
        Text(f"\n{one.contract}: {one.detail}\n  to mend it: {one.remedy}")
        for one in report.contracts
        if one.state == "broken"
    ]
    count = len(report.broken)
    end = (
        f"'{report.name}' breaks {count} of {len(report.contracts)} contracts"
        if count
        else f"'{report.name}' keeps its contracts"
    )
    return Group(table, *told, Text(f"\n{end} ({report.seconds:.0f} s)"))
