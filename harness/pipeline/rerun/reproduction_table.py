"""Reproductions for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from harness.pipeline.rerun.reproduction import Reproduction
from harness.text import counted


def table(reproductions: Sequence[Reproduction]) -> Table:
    """A row a run."""
    found = Table("run", "verdict", "", box=None)
    for one in reproductions:
        found.add_row(escape(Path(one.folder).name), one.verdict, escape("\n".join(_remarks(one))))
    return found


def _remarks(one: Reproduction) -> Iterator[str]:
    if one.reason:
        yield one.reason
    for change in one.changes:
        queries = counted(change.queries, "query")
        yield f"{change.metric} {change.published:.4f}, here {change.now:.4f}; {queries} differ"
    if one.unmatched:
        yield f"only one of the two has {', '.join(one.unmatched)}"
    if one.same_keys is False:
        yield "keys have changed since: inputs, settings or code are not those of the card"
    if not one.is_same:
        yield from one.platform
    if one.cached:
        yield "nothing was computed: the workspace holds it"
    if one.usd:
        yield f"{one.usd:.2f} USD for labels"
