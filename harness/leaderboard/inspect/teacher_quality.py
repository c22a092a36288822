"""How good teachers are: their orders by the judgments, from the traces of their runs, and what they taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.inspect.teacher_summary import runs_by_teacher
from harness.published.result_folder import Published
from harness.published.run_trace import TeacherTrace, read_trace


class JudgedOrders(NamedTuple):
    """nDCG@10 of a teacher's orders by the judgments of training queries, beside the order of the first stage; means
    over `lists` lists."""

    ndcg: float
    first_stage: float
    lists: int


def judged_orders(runs: Sequence[Published]) -> dict[str, JudgedOrders]:
    """By the names of `teacher_summaries`, those teachers whose runs have a trace with judged training queries.

    Budgets are nested, so of each draw of queries the largest set of lists counts. A trace that cannot be used is none.
    """
    found = {}
    for name, members in runs_by_teacher(runs).items():
        traces: dict[int | None, TeacherTrace] = {}
        for run in members:
            trace = _teacher_trace(run)
            known = traces.get(run.card.resample)
            if trace is not None and trace.lists and (known is None or trace.lists > known.lists):
                traces[run.card.resample] = trace
        if lists := sum(trace.lists for trace in traces.values()):
            ndcg = sum(trace.ndcg * trace.lists for trace in traces.values()) / lists
            first = sum(trace.candidates.ndcg * trace.lists for trace in traces.values()) / lists
            found[name] = JudgedOrders(ndcg, first, lists)
    return found


def _teacher_trace(run: Published) -> TeacherTrace | None:
    try:
        trace = read_trace(Path(run.folder))
    except UserError:
        return None
    return trace.teacher if trace is not None else None


def taught(table: Table, rows: Mapping[str, Row], runs: Sequence[Published]) -> list[tuple[str, str, Row]]:
    """A teacher's name, a row's name and the row, for every row that a teacher of `teacher_summaries` taught, by
    teacher, method and labels."""
    teacher_of = {run.card.tag: name for name, members in runs_by_teacher(runs).items() for run in members}
    found = [
        (teacher_of[row.run_ids[0]], name, row)
        for name, row in rows.items()
        if row.run_ids[0] in teacher_of and table.metric in row.metrics
    ]
    order = list(dict.fromkeys(teacher_of.values()))
    return sorted(found, key=lambda one: (order.index(one[0]), one[2].category, one[2].method, one[2].budget or 0))
