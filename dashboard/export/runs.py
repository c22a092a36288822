"""Pages of runs: their addresses, and what each says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.export.grid import Grid, Link, cell, column, grid
from harness.evaluation.significance.comparison_tables import p_words
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.inspect.run_details import details
from harness.published.result_folder import Published, slug
from harness.text import counted

FOLDER = "runs"
_LONGEST = 80


class StageBar(NamedTuple):
    """A kind of stage, its seconds as text, and its share of the longest."""

    name: str
    seconds: str
    share: float


@dataclass(frozen=True)
class RunPage:
    """What the page of a run says."""

    tag: str
    row: str
    section: str
    others: tuple[Link, ...]
    """The row's other runs."""
    metrics: Grid
    against: str
    stages: tuple[StageBar, ...]
    about: Mapping[str, str]
    command: str
    folder: str
    """Below the results folder: where that lies is nobody's business."""
    card: str


def address(run: Published) -> str:
    """Where the page of `run` lies in the site; two runs never share it, also where names differ in case alone."""
    mark = hashlib.sha256(f"{run.card.collection.name}\n{run.card.tag}".encode()).hexdigest()[:8]
    return f"{FOLDER}/{slug(run.card.tag)[:_LONGEST]}-{mark}.html"


def run_page(run: Published, title: str, row: Row, table: Table, section: str, pages: Mapping[str, str]) -> RunPage:
    """The page of one of the runs behind `row`, which is called `title` in the section `section` of the leaderboard."""
    said = details(run)
    longest = max((one.seconds for one in said.stages), default=0.0) or 1.0
    others = [tag for tag in row.run_ids if tag != run.card.tag]
    return RunPage(
        tag=run.card.tag,
        row=title,
        section=section,
        others=tuple(Link(pages[tag].removeprefix(f"{FOLDER}/"), tag, tag) for tag in others),
        metrics=_metrics(row, table.metrics),
        against=_against(row, table),
        stages=tuple(StageBar(one.stage, f"{one.seconds:,.1f}", one.seconds / longest) for one in said.stages),
        about=said.about,
        command=said.command,
        folder="/".join(run.folder.parts[-2:]),
        card=said.card,
    )


def _metrics(row: Row, metrics: Sequence[str]) -> Grid:
    found = [(name, row.metrics[name]) for name in metrics if name in row.metrics]
    lines = [
        [cell(name), cell(one.mean, ".4f"), cell(row_texts.interval(row, name)), cell(one.deviation, ".4f")]
        for name, one in found
    ]
    return grid(
        [
            column("metric"),
            column("mean", "number"),
            column("95 %", "text", "tight"),
            column("deviation of runs", "number"),
        ],
        lines,
    )


def _against(row: Row, table: Table) -> str:
    means = f"Means over {counted(table.queries, 'query')} and {counted(row.runs, 'run')}."
    if row.against is None:
        return means
    one = row.against
    return (
        f"{means} Against {one.baseline} on {table.metric}: {one.difference:+.4f}, adjusted {p_words(one.p_adjusted)}"
        + (f" ({one.verdict})." if one.verdict else " (not shown).")
    )
