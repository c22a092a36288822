"""The trace of a row of the board: where between its teacher and its retriever knowledge was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError, did_you_mean
from harness.leaderboard.board import board_of
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.inspect.trace_steps import TracedRun, TraceStep, trace_line, trace_steps
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.row_texts import titles
from harness.published.result_folder import Published
from harness.published.run_trace import read_trace
from harness.text import counted, plain

REMEDY = "run its sweep again: only the stages of the trace are made (evaluate.trace must not be false)"
"""What gives a row of before traces one."""


@dataclass(frozen=True)
class RowTrace:
    """The steps of a row, as means over `traced` of its `runs`."""

    row: str
    collection: str
    split: str
    run_ids: tuple[str, ...]
    runs: int
    traced: int
    steps: tuple[TraceStep, ...]

    @property
    def line(self) -> str:
        """All steps in one line."""
        return trace_line(self.steps)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of it: values that are missing, each with its reason, held-out queries of another source
        than those learnt, and runs without a trace."""
        found = [f"{step.model}, {step.on}: {step.reason}" for step in self.steps if step.value is None]
        found += [
            f"{step.model}, {step.on}: queries of {' and '.join(step.sources)}, another mixture than those learnt"
            for step in self.steps
            if step.sources
        ]
        if self.traced < self.runs:
            found.append(f"{self.runs - self.traced} of {counted(self.runs, 'run')} were published without a trace")
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness trace --json`` for one row."""
        about = {key: getattr(self, key) for key in ("row", "collection", "split", "runs", "traced", "line")}
        return {
            **about,
            "run_ids": list(self.run_ids),
            "steps": [step._asdict() for step in self.steps],
            "notes": list(self.notes),
        }


def trace_of_row(result_set: ResultSet, table: Table, name: str, row: Row) -> RowTrace | None:
    """The trace of a `row` of `table` that is called `name`; None where none of its runs has one. Raises UserError for
    a file that cannot be used."""
    return _of_runs(name, table.collection, table.split, result_set.runs_of_row(table, row))


def trace_of_run(run: Published) -> RowTrace | None:
    """The trace of one run; None where it was published without. Raises UserError for a file that cannot be used."""
    about = run.card.collection
    return _of_runs(plain(run.card.tag), plain(about.name), plain(about.split), [run])


def load_traces(
    results: Path, rows: Sequence[str] = (), *, collection: str | None = None, split: str | None = None
) -> list[RowTrace]:
    """The traces of the rows that are named in some of the ways of `find_rows`, of all that have one where none is
    named.

    Raises UserError where a name fits no row, or none of those that it fits has a trace, with the reason.
    """
    result_set = load_results(results)
    tables = board_of(result_set, collection=collection, split=split).tables
    if rows:
        return [one for text in rows for one in _named(result_set, tables, text)]
    named = [(table, name, row) for table in tables for name, row in titles(table).items()]
    found = [one for place in named if (one := trace_of_row(result_set, *place)) is not None]
    if not found:
        raise UserError("no row has a trace", file=result_set.folder or None, remedy=REMEDY)
    return found


def _named(result_set: ResultSet, tables: Sequence[Table], text: str) -> list[RowTrace]:
    """Those of the rows that `find_rows` finds; with the id of a run, of this run alone."""
    members = []
    for table, name, row in find_rows(tables, text):
        runs = result_set.runs_of_row(table, row)
        members.append((name, table.collection, table.split, [run for run in runs if run.card.tag == text] or runs))
    found = [trace for one in members if (trace := _of_runs(*one)) is not None]
    if not found:
        name, _, _, runs = members[0]
        raise _without(name, runs)
    return found


def find_rows(tables: Sequence[Table], text: str) -> list[tuple[Table, str, Row]]:
    """The rows of that name or with a run of that id; otherwise those whose name begins so, or holds all these words.
    Raises UserError where there are none."""
    rows = [(table, name, row) for table in tables for name, row in titles(table).items()]
    found = (
        [one for one in rows if text == one[1] or text in one[2].run_ids]
        or [one for one in rows if one[1].startswith(text)]
        or [one for one in rows if set(text.split()) <= set(one[1].split())]
    )
    if not found:
        names = list(dict.fromkeys(row.method for _, _, row in rows))
        raise UserError(f"no row '{text}'", remedy=f"{did_you_mean(text, names)} harness board shows all rows")
    return found


def _of_runs(name: str, collection: str, split: str, runs: Sequence[Published]) -> RowTrace | None:
    traced = [TracedRun(run, trace) for run in runs if (trace := read_trace(Path(run.folder))) is not None]
    if not traced:
        return None
    ids = tuple(run.card.tag for run in runs)
    return RowTrace(name, collection, split, ids, len(runs), len(traced), trace_steps(traced))


def _without(name: str, runs: Sequence[Published]) -> UserError:
    card = runs[0].card
    if card.teacher is None and card.ranker is None:
        return UserError(
            f"the row '{name}' has no trace: no teacher and no ranker taught it",
            remedy="take a row with a teacher, or no-llm; harness trace lists all that have one",
        )
    return UserError(f"the row '{name}' has no trace: it was published without one", file=runs[0].folder, remedy=REMEDY)
