"""The values behind rows: one number for every query, the runs of a row averaged first, as everywhere on the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.method_difference import MethodRuns
from harness.evaluation.significance.score_matrix import ScoreMatrix
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.configuration import Configuration
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.row_statistics import method_runs, queries_of
from harness.text import plain


@dataclass(frozen=True)
class PerQuery:
    """`values` (queries, rows) of one metric; `missing` counts, for each row, queries that all its runs were not
    evaluated on."""

    metric: str
    queries: tuple[str, ...]
    names: tuple[str, ...]
    values: Array
    missing: tuple[int, ...]
    runs: tuple[MethodRuns, ...] = field(default=(), repr=False)
    """Of each row its runs, whose means the values are."""
    clusters: Clusters | None = field(default=None, repr=False)

    def matrix(self, baselines: Sequence[int] = ()) -> ScoreMatrix:
        """The rows as a family of methods, each against those of `baselines`, or all pairs."""
        columns = (self.names, self.values, self.missing, baselines, self.runs, self.clusters)
        return ScoreMatrix([self.metric], *columns)


class QueryChange(NamedTuple):
    """What one query gives for two rows; `difference` is b - a."""

    query: str
    a: float
    b: float
    difference: float


def per_query(result_set: ResultSet, table: Table, rows: Sequence[tuple[str, Row]]) -> PerQuery:
    """The leading metric of `table` for every query of it and each of the named `rows`; a query that a run lacks counts
    0.

    Raises UserError for a row that was not evaluated by that metric.
    """
    members = result_set.runs_of(table)
    queries = queries_of(members)
    if lacking := [name for name, row in rows if table.metric not in row.metrics]:
        raise UserError(
            f"not evaluated by {table.metric}: {', '.join(lacking)}", remedy="choose another metric or other rows"
        )
    own = own_name(result_set, table)
    members_of = [Configuration(tuple(result_set.runs_of_row(table, row))) for _, row in rows]
    runs = tuple(method_runs(one, own, queries) for one in members_of)
    values = np.column_stack([one.values.mean(axis=1) for one in runs])
    missing, names = tuple(row.missing_queries for _, row in rows), tuple(name for name, _ in rows)
    return PerQuery(table.metric, tuple(queries), names, values, missing, runs, table.clusters)


def own_name(result_set: ResultSet, table: Table) -> str:
    """The leading metric as the files write it: on the board its name was made safe to show."""
    return next(name for run in result_set.runs_of(table) for name in run.scores if plain(name) == table.metric)


def changes(values: PerQuery, a: int, b: int) -> list[QueryChange]:
    """Row `b` against row `a` on every query, the largest gain first; of equals in the order of the ids."""
    rows = zip(values.queries, values.values[:, a].tolist(), values.values[:, b].tolist(), strict=True)
    return sorted(
        (QueryChange(query, one, other, other - one) for query, one, other in rows),
        key=lambda change: -change.difference,
    )


def extremes(found: Sequence[QueryChange], most: int = 10) -> tuple[list[QueryChange], list[QueryChange]]:
    """Of `changes` the largest gains and, worst first, the largest losses of b; at most `most` each, ties in
    neither."""
    gains = [change for change in found if change.difference > 0]
    losses = [change for change in reversed(found) if change.difference < 0]
    return gains[:most], losses[:most]
