"""What teachers said, from the labels published beside the runs: their orders, agreement with each other, and position
bias."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UserError
from harness.evaluation.significance.bootstrap import Interval
from harness.labelling.labels import agreement
from harness.labelling.labels.run_labels import LabelRow
from harness.leaderboard.inspect.teacher_summary import runs_by_teacher
from harness.published.published_labels import read_labels
from harness.published.result_folder import LABELS, Published

FIRST_STAGE = "first stage"
"""The candidates' own order, as one more row of an agreement table."""
MEASURES = {
    "Kendall's tau": "1: the same order; 0: no relation; -1: the reverse.",
    "rank-biased overlap": f"0 to 1, the first places count most (p = {agreement.P}; extrapolated, Webber et al. "
    "2010).",
    "same first pick": "Share of queries on which both put the same document first.",
}
"""Ways of saying how two orders agree, and how to read them."""


@dataclass(frozen=True)
class TeacherLabels:
    """A teacher's published labels: every query once, that of the lowest resample's largest draw."""

    name: str
    rows: tuple[LabelRow, ...] = field(repr=False)

    @property
    def orders(self) -> dict[str, tuple[str, ...]]:
        """The orders of those labels that have one."""
        return agreement.orders(row.ranking() for row in self.rows)

    @property
    def given(self) -> dict[str, tuple[str, ...]]:
        """The first stage's order of the same queries."""
        return {row.query: row.given for row in self.rows}


class Agreement(NamedTuple):
    """How two teachers agree on the queries that both ordered, by the names of `MEASURES`; None where none can be
    compared."""

    a: str
    b: str
    queries: int
    values: dict[str, float | None]


class PickPosition(NamedTuple):
    """A place of the input order: how many first picks stood there, their share with its 95 % interval, the share by
    chance."""

    position: int
    picked: int
    share: float
    interval: Interval
    expected: float


class Picks(NamedTuple):
    """Where a teacher's first picks stood in what it was shown; `p` of a uniform choice, `reordered` the queries shown
    in another order than the first stage's. Where that is 0, liking early places and agreeing with the first stage look
    the same."""

    teacher: str
    queries: int
    reordered: int
    p: float | None
    places: tuple[PickPosition, ...]


def teacher_labels(runs: Sequence[Published]) -> tuple[list[TeacherLabels], list[str]]:
    """Every teacher with published labels, by name, and notes on files that could not be read and on teachers without
    any."""
    found: list[TeacherLabels] = []
    notes: list[str] = []
    without: list[str] = []
    for name, members in runs_by_teacher(runs).items():
        rows: dict[str, LabelRow] = {}
        for run in _largest(members):
            try:
                said = read_labels(Path(run.folder))
            except UserError as error:
                notes.append(f"{run.card.tag}: {error.message}")
                continue
            for row in said.rows if said else ():
                rows.setdefault(row.query, row)
        if rows:
            found.append(TeacherLabels(name, tuple(rows.values())))
        else:
            without.append(name)
    if without:
        notes.append(
            f"no labels are published for {', '.join(without)}: runs of sweeps before {LABELS} was written have none"
        )
    return found, notes


def _largest(runs: Iterable[Published]) -> list[Published]:
    """One run for each resample and candidates, of the largest budget that has published labels: budgets are nested."""
    groups: dict[tuple[int, str], list[Published]] = defaultdict(list)
    for run in runs:
        if (Path(run.folder) / LABELS).exists():
            setup = repr((run.card.setup, run.card.data.training_data))
            groups[run.card.resample or 0, setup].append(run)
    return [max(groups[key], key=lambda run: (run.card.budget or 0, run.card.tag)) for key in sorted(groups)]


def agreements(found: Sequence[TeacherLabels]) -> list[Agreement]:
    """Every two teachers, and each with the first stage's order of the candidates; an order with itself is 1 by every
    measure."""
    if not found:
        return []
    given = {query: order for one in found for query, order in one.given.items()}
    orders: dict[str, Mapping[str, Sequence[str]]] = {one.name: one.orders for one in found}
    orders[FIRST_STAGE] = given
    pairs = combinations_with_replacement(orders, 2)
    return [_agreement(a, b, agreement.agreement(orders[a], orders[b])) for a, b in pairs]


def _agreement(a: str, b: str, measured: dict[str, Any]) -> Agreement:
    values = (measured["tau"], measured["rbo"], measured["top"]["1"])
    return Agreement(a, b, measured["queries"], dict(zip(MEASURES, values, strict=True)))


def first_picks(one: TeacherLabels) -> Picks:
    """Where the first picks of a teacher stood."""
    said = agreement.first_picks((row.ranking() for row in one.rows), one.given)
    places = tuple(PickPosition(**{**place, "interval": Interval(*place["interval"])}) for place in said["positions"])
    return Picks(one.name, said["queries"], said["reordered"], said["p"], places)
