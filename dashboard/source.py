"""What every page starts from: the results folder, and the collection, metric and baseline that were chosen."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard import address, choose
from dashboard.claims_on_disk import ClaimsSummary, claims_marks, claims_summary, frozen_claims, frozen_file
from dashboard.launch import HOUR, RESULTS, WORKSPACE
from dashboard.text import literal
from harness.claims.claim_report import results_of_claims
from harness.errors import UserError
from harness.files import cache_home
from harness.leaderboard.board import Board, board_of
from harness.leaderboard.board_cache import cached_board
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.load_results import ResultSet, load_results, state
from harness.leaderboard.row_texts import titles
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.text import counted


@dataclass(frozen=True)
class _Results:
    """A results folder, whose runs are read when a page asks for them."""

    folder: str
    state: str

    @property
    def result_set(self) -> ResultSet:
        """All runs of the folder."""
        found: ResultSet = _gathered(self.folder, self.state)
        return found


@dataclass(frozen=True)
class Folder(_Results):
    """A results folder as its board shows it, and its tables by what they are called where one is chosen."""

    board: Board
    tables: dict[str, Table]

    @property
    def runs(self) -> int:
        """How many runs its tables have."""
        return sum(row.runs for table in self.tables.values() for row in table.rows)


@dataclass(frozen=True)
class View(_Results):
    """The table that is looked at, and its rows by their names."""

    table: Table
    rows: dict[str, Row]


def results() -> Path:
    """The folder that is shown."""
    return Path(os.environ.get(RESULTS, "results"))


def workspace() -> WorkspaceFolder:
    """Where sweeps run on this machine: their collections, models and journals."""
    return WorkspaceFolder(os.environ.get(WORKSPACE, "workspace"))


def usual_hour() -> float:
    """What an hour of the machine costs in USD unless the page says otherwise; 0 where nobody said."""
    return float(os.environ.get(HOUR, "0"))


@st.cache_resource(max_entries=2, show_spinner="Reading results")  # type: ignore[untyped-decorator]
def _gathered(folder: str, state: str) -> ResultSet:
    """The runs, read again when `state` says that the folder changed."""
    return load_results(Path(folder), cache=_cached(), collections=workspace().collections)


@st.cache_resource(max_entries=32, show_spinner="Making the table")  # type: ignore[untyped-decorator]
def _board(folder: str, state: str, metric: str | None, baseline: str | None) -> Board:
    def make() -> Board:
        return board_of(_gathered(folder, state), metric=metric, baseline=baseline)

    return cached_board(_cached(), Path(folder), state, make, metric=metric, baseline=baseline)


@st.cache_data(max_entries=4, show_spinner="Judging the claims")  # type: ignore[untyped-decorator]
def _claimed(folder: str, state: str, files: tuple[tuple[str, int], ...]) -> ClaimsSummary | None:
    return claims_summary(frozen_claims(Path(folder)))


def claimed(found: View) -> ClaimsSummary | None:
    """What the frozen claims come to that lie where the dashboard was started; None where no run says anything of
    them."""
    file = frozen_file()
    if file is None:
        return None
    said: ClaimsSummary | None = _claimed(found.folder, state(results_of_claims(file, found.folder)), claims_marks())
    return said


def _cached() -> Path:
    return cache_home() / "boards"


def names(tables: Sequence[Table]) -> dict[str, Table]:
    """Tables by what they are called where one is chosen: collection and split, and a content where several have
    these."""
    short = Counter((table.collection, table.split) for table in tables)
    return {
        table.name if short[table.collection, table.split] > 1 else f"{table.collection} · {table.split}": table
        for table in tables
    }


def _of_name(tables: Mapping[str, Table]) -> Table:
    """The table that is chosen; links may name it in full."""
    wanted = address.values("collection")[-1:]
    for name, table in tables.items():
        if wanted == [table.name] != [name]:
            address.choose("collection", [name])
    return tables[choose.one(st.sidebar, "Collection", list(tables), "collection") or next(iter(tables))]


def opened_folder() -> Folder:
    """The folder that is shown; ends the page with words where there is nothing in it."""
    folder = results()
    mark = state(folder)
    found: Board = _board(str(folder), mark, None, None)
    _skipped(found)
    if not found.tables:
        st.info(literal(f"No published runs in {folder}. Run a sweep first: harness sweep FILE"))
        st.stop()
    return Folder(str(folder), mark, found, names(found.tables))


def view() -> View:
    """What the choices in the sidebar select; ends the page with words where there is nothing to show."""
    opened = opened_folder()
    folder, mark, table = opened.folder, opened.state, _of_name(opened.tables)
    metric = choose.one(
        st.sidebar,
        "Metric",
        list(table.metrics),
        "metric",
        default=table.metric,
        help="Rows are sorted and tested by it.",
    )
    usual = table.baseline or _NONE
    methods = list(dict.fromkeys([*([] if table.baseline else [_NONE]), *(row.method for row in table.rows), usual]))
    help_text = (
        "The method that rows are tested against: each with the row of it that is most like it (student, "
        "budget, teacher, losses)."
    )
    baseline = choose.one(st.sidebar, "Baseline", methods, "baseline", default=usual, help=help_text)
    try:
        # What is not chosen is left to the board, as on the command line.
        led: Board = _board(
            folder, mark, None if metric == table.metric else metric, None if baseline == usual else baseline
        )
    except UserError as error:
        st.error(literal(str(error)))
        st.stop()
    shown = next(other for other in led.tables if other.name == table.name)
    _notes(led, shown)
    return View(folder, mark, shown, titles(shown))


def _notes(led: Board, displayed: Table) -> None:
    """What is to be known of the table that is shown, and of the folder; notes of other tables stay on their pages."""
    for note in (*led.general, *displayed.notes):
        (st.caption if note in displayed.anchors else st.warning)(literal(note))


def _skipped(found: Board) -> None:
    if found.skipped:
        with st.expander(f"{counted(len(found.skipped), 'folder')} skipped"):
            for item in found.skipped[:_MOST_SKIPPED]:
                st.text(f"{item.folder}: {item.reason}")
            if len(found.skipped) > _MOST_SKIPPED:
                st.text(f"and {len(found.skipped) - _MOST_SKIPPED:,} more; harness board lists them all")


_MOST_SKIPPED = 50
_NONE = "none"
