"""A meta-analysis in the terminal: a table of collections for each method, with what they say together below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.comparison_tables import p_text
from harness.evaluation.significance.meta_analysis import Combined
from harness.evaluation.significance.method_difference import MeanDifference
from harness.leaderboard import row_texts
from harness.leaderboard.collections_meta import CollectionEffect, Meta, Pooled
from harness.text import counted

_COLLECTION = 12
"""Least columns for a collection's name; a narrow terminal folds what is longer and cuts nothing."""
_WIDE = 100
"""Columns from which an interval has a column of its own; below, it stands under its difference, for half of a number
is none."""


def terminal(meta: Meta) -> Group:
    """All methods, best first."""
    parts: list[RenderableType] = []
    for one in meta.methods:
        parts += [
            _PooledTable(one, meta),
            Text(_summary(one)),
            *(Text(line, style="yellow") for line in _doubts(one)),
            "",
        ]
    if not meta.methods:
        parts.append(Text(f"no method stands beside {meta.baseline} on two collections or more"))
    about = (
        "All together: on collections like these; weights: 1 / (variance over queries and runs + tau squared). p adj. "
        "of a collection is that of its own board."
    )
    if meta.family:
        parts.append(Text(f"{meta.family}. {about}", style="dim"))
    return Group(*parts, *(Text(f"note: {note}") for note in meta.notes))


@dataclass(frozen=True)
class _PooledTable:
    """The table of a method, as wide as there is room."""

    pooled: Pooled
    meta: Meta

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield _table(self.pooled, self.meta, wide=options.max_width >= _WIDE)


def _table(one: Pooled, meta: Meta, *, wide: bool) -> Table:
    def row(cells: Sequence[str]) -> list[Text]:
        *first, difference, interval, p, weight = cells
        shown = [difference, interval] if wide else [f"{difference}\n{interval}".strip()]
        return [Text(cell) for cell in (*first, *shown, p, weight)]

    table = Table(
        title=Text(one.name, style="bold"), title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("collection", overflow="fold", min_width=_COLLECTION)
    for heading in row(("queries", "runs", meta.baseline, meta.metric, "difference", "95 %", "p adj.", "weight")):
        table.add_column(heading, justify="right", no_wrap=True)
    for part, weight in zip(one.parts, one.weights, strict=True):
        table.add_row(*row(_cells(part, weight, meta.metric)))
    if one.combined and one.p_adjusted is not None:
        found = one.combined
        mark = row_texts.MARKS[one.verdict]
        numbers = (f"{found.effect:+.4f}{mark}", _interval(found.interval), p_text(one.p_adjusted), "")
        table.add_row(*row(("all together", "", "", "", "", *numbers)), style="bold")
    return table


def _cells(part: CollectionEffect, weight: float | None, metric: str) -> tuple[str, ...]:
    row, against = part.row, part.against
    shown = (
        row.collection,
        f"{part.queries:,}",
        str(row.runs),
        row_texts.mean(part.baseline, metric),
        row_texts.mean(row, metric),
    )
    of_all = "" if weight is None else f"{weight:.0%}"
    return (
        *shown,
        f"{against.difference:+.4f}{row_texts.mark(row)}",
        _interval(against.interval),
        p_text(against.p_adjusted),
        of_all,
    )


def _summary(one: Pooled) -> str:
    if one.combined is None:
        return f"{counted(len(one.parts), 'collection')}: nothing to combine"
    found = one.combined
    return _these(one.on_these) + (
        f"between collections: tau {found.deviation:.4f}, I² {found.i2:.0%}, Q {found.q:.2f} (p "
        f"{p_text(found.q_p)}); {_elsewhere(found)}"
    )


def _these(one: MeanDifference | None) -> str:
    if one is None:
        return ""
    runs = " with these runs" if one.is_single else ""
    return f"on these collections{runs}: {one.difference:+.4f} {_interval(one.interval())}; "


def _elsewhere(found: Combined) -> str:
    if found.prediction is None:
        return "two collections do not tell what to expect on another"
    return f"on another collection: {_interval(found.prediction)}"


def _doubts(one: Pooled) -> list[str]:
    differing = [f"! differs between collections: {'; '.join(one.differing)}"] if one.differing else []
    return differing + [
        f"! {part.row.collection}: {' · '.join(part.row.flags)}" for part in one.parts if part.row.flags
    ]


def _interval(bounds: Interval | None) -> str:
    return "" if bounds is None else f"[{bounds.low:+.3f}, {bounds.high:+.3f}]"
