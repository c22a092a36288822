"""Rows of the board against each other: what ``harness compare`` says of their runs, from the published per-query
values."""

from __future__ import annotations

from harness.errors import UserError
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.score_matrix import ScoreMatrix, compare_matrix
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.row_query_values import PerQuery
from harness.text import counted

FEWEST, MOST = 2, 6
"""How many rows a comparison is readable with."""


def compare_rows(values: PerQuery, question: TestSpec, baseline: str | None = None) -> ComparisonResult:
    """Each row against the one named `baseline`, or all pairs without one; the family is all comparisons made.

    The shape and, for rows of one run, every number is that of ``harness compare`` on their run files. Raises UserError
    with fewer than two rows or more than six.
    """
    if not FEWEST <= len(values.names) <= MOST:
        raise UserError(f"{counted(len(values.names), 'row')} to compare", remedy=f"choose {FEWEST} to {MOST}")
    place = None if baseline is None else values.names.index(baseline)
    return compare_matrix(ScoreMatrix([values.metric], values.names, values.values, values.missing, place), question)
