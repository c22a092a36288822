"""Comparisons for exported pages: every row against its baseline, and all pairs as a matrix and as a list."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.export.grid import Grid, GridCell, cell, column, grid
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.comparison_tables import p_text, verdict_words
from harness.leaderboard import row_texts as cells
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.render.comparison_files import interval
from harness.leaderboard.report.all_pairs import PairCell as Pair
from harness.leaderboard.report.all_pairs import PairMatrix, all_pairs
from harness.leaderboard.row_texts import titles
from harness.text import counted

_MOODS = {"▲": "better", "▼": "worse", "·": ""}


class Square(NamedTuple):
    """A cell of the matrix."""

    text: str
    mood: str
    title: str


class MatrixLine(NamedTuple):
    """A row of the matrix."""

    letter: str
    name: str
    cells: tuple[Square, ...]


class Matrix(NamedTuple):
    """All pairs of a table; `how` says how they were tested."""

    letters: tuple[str, ...]
    lines: tuple[MatrixLine, ...]
    pairs: Grid
    how: str


def baseline_grid(table: Table) -> Grid | None:
    """Every row against its baseline, as the board tested it; None where no row was."""
    rows = [(name, row, row.against) for name, row in titles(table).items() if row.against is not None]
    if not rows:
        return None
    headings = [
        ("row", "text", "wide"),
        (table.metric, "number", None),
        ("difference", "number", None),
        ("95 %", "text", "tight"),
    ]
    tested = [("p", "number", None), ("p adj.", "number", None), ("verdict", "text", None)]
    lines = [
        [
            cell(name),
            _mean(row, table.metric),
            cell(one.difference, "+.4f", one.verdict),
            cell(interval(one.interval)),
            cell(one.p)._replace(text=p_text(one.p)),
            cell(one.p_adjusted)._replace(text=p_text(one.p_adjusted)),
            cell(f"{cells.mark(row)} {one.verdict}" if one.verdict else "not shown", "", one.verdict),
        ]
        for name, row, one in rows
    ]
    return grid([column(*heading) for heading in [*headings, *tested]], lines)


def _mean(row: Row, metric: str) -> GridCell:
    return cell(row.metrics[metric].mean, ".4f")


def pair_matrix(result_set: ResultSet, table: Table) -> Matrix | None:
    """All pairs of the rows of `table` that have its leading metric; None with fewer than two."""
    found = all_pairs(result_set, table, list(titles(table).items()))
    if found is None:
        return None
    lines = tuple(
        MatrixLine(found.letters[name], name, tuple(_square(found.cell(name, other)) for other in found.names))
        for name in found.names
    )
    return Matrix(tuple(found.letters.values()), lines, _pairs(found.answer), _how(found))


def _square(found: Pair | None) -> Square:
    if found is None:
        return Square("", "", "")
    return Square(
        found.text,
        _MOODS[found.mark],
        f"p adj. {p_text(found.p_adjusted)} {interval(found.interval)}".strip(),
    )


def _pairs(answer: ComparisonResult) -> Grid:
    texts = [column("row", "text", "name"), column("against", "text", "name")]
    numbers = [
        column("difference", "number"),
        column("95 %", "text", "tight"),
        column("p", "number"),
        column("p adj.", "number"),
    ]
    sizes = [
        column("verdict"),
        column("d_z", "number"),
        column("P(better)", "number"),
        column("+/=/-", "text", "tight"),
    ]
    power = [column("detectable", "number"), column("queries needed", "number")]
    rows = [
        [
            cell(one["b"]),
            cell(one["a"]),
            cell(one["difference"], "+.4f"),
            cell(interval(one["interval"])),
            cell(one["p"])._replace(text=p_text(one["p"])),
            cell(one["p_adjusted"])._replace(text=p_text(one["p_adjusted"])),
            cell(verdict_words(one), "", one["verdict"] if one["verdict"] in ("better", "worse") else ""),
            cell(one["effect_size"], "+.2f"),
            cell(one["superiority"], ".2f"),
            cell(f"{one['wins']}/{one['ties']}/{one['losses']}"),
            cell(one["detectable"], ".4f"),
            cell(one["queries_needed"], ",d"),
        ]
        for one in answer["comparisons"]
    ]
    return grid([*texts, *numbers, *sizes, *power], rows)


def _how(found: PairMatrix) -> str:
    answer = found.answer
    left = f" {counted(found.left_out, 'row')} beyond the first {len(found.names)} left out." if found.left_out else ""
    corrected = "" if answer["correction"] == answer["test"] else f", p adjusted by {answer['correction']}"
    return (
        f"{answer['test']} test{corrected} over {answer['family']}, paired over {counted(answer['queries'], 'query')}, "
        f"seed {answer['seed']}.{left}"
    )
