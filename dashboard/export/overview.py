"""What verdicts say, in sentences whose numbers link to runs, and methods over all collections, for exported pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard.export.grid import Grid, GridCell, Link, cell, column, grid
from harness.errors import UserError
from harness.leaderboard.board_model import Table
from harness.leaderboard.collections_meta import meta_of
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.overview.headline import headline
from harness.leaderboard.overview.method_grid import MethodCell, method_grid
from harness.leaderboard.overview.pooled_grid import pooled_columns

Pages = Mapping[str, str]
"""The address of the page of each run by the run's id."""


def summary(table: Table, pages: Pages) -> list[list[Link]]:
    """The sentences of `headline`; what is about no row has no address."""
    return [
        [
            Link(pages[phrase.run_ids[0]] if phrase.run_ids else "", phrase.text, "; ".join(phrase.run_ids))
            for phrase in sentence
        ]
        for sentence in headline(table)
    ]


def collection_grid(tables: Sequence[Table], pages: Sequence[Pages]) -> Grid:
    """Methods by collections; `pages` are those of each table's runs."""
    headings = [f"{table.collection} · {table.split} ({table.metric})" for table in tables]
    lines = [
        [cell(line.name), *(_linked(one, known) for one, known in zip(line.cells, pages, strict=True))]
        for line in method_grid(tables)
    ]
    return grid([column("method", "text", "wide"), *(column(heading, "text", "tight") for heading in headings)], lines)


def _linked(found: MethodCell | None, pages: Pages) -> GridCell:
    if found is None:
        return cell(None)
    links = tuple(Link(pages[tag], found.text, tag) for tag in found.rows[0].run_ids[:1])
    return GridCell("", found.text, found.mood, links)


def pooled(result_set: ResultSet) -> tuple[Grid | None, str]:
    """The lines of ``harness meta``, and how they were made or why there are none."""
    try:
        found = meta_of(result_set)
    except UserError as error:
        return None, str(error)
    if not found.methods:
        return None, "No method stands beside the baseline on two collections or more with the same settings."
    shown, numbers = pooled_columns(found)
    kinds = [column(name, "number" if name in numbers else "text") for name in shown]
    forms = {name: ".0%" if form == "percent" else form.removeprefix("%") for name, form in numbers.items()}
    rows = [
        [cell(value, forms.get(name, "")) for name, value in zip(shown, line, strict=True)]
        for line in zip(*shown.values(), strict=True)
    ]
    return grid(kinds, rows), found.family
