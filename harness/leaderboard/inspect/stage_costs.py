"""Where the time of a row went, stage by stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.load_results import ResultSet
from harness.text import plain

MOST = 7
"""Kinds of stages told apart in one picture."""
OTHER = "other"


class Split(NamedTuple):
    """A row with its seconds by kind of stage, shared stages included, the mean over its runs; those of labelling as if
    nothing had been paid before, where the cards know that."""

    name: str
    seconds: dict[str, float]

    @property
    def total(self) -> float:
        """Seconds of all kinds together."""
        return sum(self.seconds.values())


def split_by_stage(
    result_set: ResultSet, table: Table, rows: Sequence[tuple[str, Row]], most: int = MOST
) -> list[Split]:
    """Every named row with the same `most` kinds, those that took most time in all rows together first, and `other`."""
    found = [(name, _seconds(result_set, table, row)) for name, row in rows]
    totals: dict[str, float] = defaultdict(float)
    for _, seconds in found:
        for kind, spent in seconds.items():
            totals[kind] += spent
    kinds = sorted(totals, key=lambda kind: -totals[kind])[:most]
    return [Split(name, _grouped(seconds, kinds, rest=len(totals) > len(kinds))) for name, seconds in found]


def _seconds(result_set: ResultSet, table: Table, row: Row) -> dict[str, float]:
    runs = result_set.runs_of_row(table, row)
    total: dict[str, float] = defaultdict(float)
    for run in runs:
        # Labels are often found in the ledger, read there in no time: what counts is what their calls took.
        for kind, spent in {**run.card.durations, **run.card.durations_standalone}.items():
            total[plain(kind)] += spent / len(runs)
    return total


def _grouped(seconds: Mapping[str, float], kinds: Sequence[str], *, rest: bool) -> dict[str, float]:
    grouped = {kind: seconds.get(kind, 0.0) for kind in kinds}
    others = sum(spent for kind, spent in seconds.items() if kind not in grouped)
    return {**grouped, OTHER: others} if rest else grouped
