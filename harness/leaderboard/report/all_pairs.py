"""All rows of a table against each other, as one family, and what papers print of it: a letter for each row and for all
it beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from harness.evaluation.significance.comparison_result import Bounds, ComparisonResult
from harness.evaluation.significance.score_matrix import compare_matrix
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.curves.series_style import letters
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.row_query_values import per_query

MOST = 40
"""Rows of a matrix that can still be read."""
ALL_PAIRS = TestSpec()
"""t over queries and runs, as the board's own comparisons."""


@dataclass(frozen=True)
class PairCell:
    """A row against a column of the matrix; `difference` is row - column, `mark` ▲, ▼ or · for better, worse and not
    shown."""

    mark: str
    difference: float
    interval: Bounds
    p_adjusted: float | None

    @property
    def text(self) -> str:
        """'▲ +0.123'."""
        return f"{self.mark} {self.difference:+.3f}"


_MARKS = {"better": "▲", "worse": "▼"}
_TURNED = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class PairMatrix:
    """The comparisons of all pairs of `names`, the rows of a table in its order; `left_out` counts rows beyond the
    first MOST."""

    names: tuple[str, ...]
    letters: Mapping[str, str]
    """Of every row of the table, compared or not."""
    answer: ComparisonResult = field(repr=False)
    left_out: int = 0

    @cached_property
    def _cells(self) -> dict[tuple[str, str], PairCell]:
        found = {}
        for one in self.answer["comparisons"]:
            a, b, verdict, difference, ends = one["a"], one["b"], one["verdict"], one["difference"], one["interval"]
            found[b, a] = PairCell(_MARKS.get(verdict, "·"), difference, ends, one["p_adjusted"])
            turned = _TURNED.get(verdict, verdict)
            found[a, b] = PairCell(
                _MARKS.get(turned, "·"), -difference, ends and (-ends[1], -ends[0]), one["p_adjusted"]
            )
        return found

    def cell(self, row: str, column: str) -> PairCell | None:
        """`row` against `column`; None on the diagonal."""
        return self._cells.get((row, column))

    def beats(self, name: str) -> tuple[str, ...]:
        """The letters of all rows that `name` is significantly better than; none for a row that was left out."""
        return tuple(
            self.letters[other] for other in self.names if (found := self.cell(name, other)) and found.mark == "▲"
        )

    def superscript(self, name: str) -> str:
        """`beats` as papers print it: ``abd``; four and more in a row are a span, set apart by commas: ``ab,d–k``."""
        order, won = list(self.letters.values()), self.beats(name)
        places = [order.index(letter) for letter in won]
        runs = [
            [order[place] for _, place in run] for _, run in groupby(enumerate(places), lambda pair: pair[1] - pair[0])
        ]
        if all(len(letter) == 1 for letter in won) and all(len(run) < _SHORTEST for run in runs):
            return "".join(won)
        return ",".join(_span(run) for run in runs)


_SHORTEST = 4
"""Letters in a row from which on they are written as a span."""


def _span(run: list[str]) -> str:
    if len(run) >= _SHORTEST:
        return f"{run[0]}–{run[-1]}"
    return ("" if all(len(letter) == 1 for letter in run) else ",").join(run)


def all_pairs(
    result_set: ResultSet, table: Table, rows: Sequence[tuple[str, Row]], question: TestSpec = ALL_PAIRS
) -> PairMatrix | None:
    """The named `rows` of `table` against each other by its leading metric, the runs of a row averaged on each query
    first.

    Only rows that have that metric, and of these the first MOST. None where fewer than two are left. The family is all
    comparisons made.
    """
    having = [(name, row) for name, row in rows if table.metric in row.metrics]
    if len(having) < 2:
        return None
    values = per_query(result_set, table, having[:MOST])
    answer = compare_matrix(values.matrix(), question)
    known = dict(zip((name for name, _ in rows), letters(len(rows)), strict=True))
    return PairMatrix(values.names, known, answer, max(0, len(having) - MOST))
