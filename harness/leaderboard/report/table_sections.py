"""What a report shows of each table, as texts that are ready to be set: nothing is computed in a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from harness.evaluation.significance.comparison_result import Comparison
from harness.evaluation.significance.comparison_tables import p_text, verdict_words
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column, filled
from harness.leaderboard.column_layouts import arranged, method_details, record
from harness.leaderboard.curves.series_style import letters
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.report.all_pairs import ALL_PAIRS, PairMatrix, all_pairs
from harness.leaderboard.report.curve_texts import CurveTexts, curve_texts
from harness.leaderboard.report.findings import findings
from harness.leaderboard.report.recipes import Recipe, environments, recipe
from harness.leaderboard.row_texts import titles
from harness.published.result_folder import slug
from harness.text import counted

ReportLayout = Literal["report", "report-markdown", "report-latex"]
_LAYOUTS: tuple[ReportLayout, ...] = get_args(ReportLayout)


class ReportCell(NamedTuple):
    """A cell of the table; `best` marks the highest mean of those that compete, `beats` are letters of rows, `title`
    says more."""

    text: str
    title: str = ""
    mark: str = ""
    beats: str = ""
    best: bool = False


@dataclass(frozen=True)
class SectionLine:
    """A row of the table with everything that is said of it."""

    letter: str
    title: str
    row: Row
    about: str
    """Teacher, losses and settings that tell it from other rows of its method."""
    lead: ReportCell
    beats: str
    """Letters of the rows that it is significantly better than."""
    cells: Mapping[tuple[str, str], ReportCell]
    """By key of the column."""
    recipe: Recipe

    def cell(self, column: Column) -> ReportCell:
        """What stands in `column`."""
        return self.cells[column.key]


@dataclass(frozen=True)
class TableSection:
    """A table of the board."""

    number: int
    table: Table
    lines: tuple[SectionLine, ...]
    pairs: PairMatrix | None
    findings: tuple[str, ...]
    curves: CurveTexts | None
    """None without budgets."""
    environments: tuple[tuple[str, int], ...]

    @property
    def heading(self) -> str:
        """Collection and split."""
        return f"{self.table.collection} ({self.table.split})"

    @property
    def anchor(self) -> str:
        """A name for links and labels: letters, digits and hyphens."""
        return f"{self.number}-{slug(self.heading)}".replace(".", "-").replace("_", "-").replace("+", "-")

    def columns(self, layout: ReportLayout) -> list[Column]:
        """The columns of a form of the report, those left out that stand in the cell of the method."""
        found = filled(arranged(layout, self.table), self.table.rows)
        return [column for column in found if column.group != "settings"]

    @property
    def caption(self) -> str:
        """What is tested and what the marks against the baseline mean."""
        return row_texts.caption(self.table)

    @property
    def family(self) -> str:
        """How all pairs were tested, in words."""
        if self.pairs is None:
            return ""
        asked, rest = self.pairs.answer, self.pairs.left_out
        how = (
            f"adjusted by {asked['correction']}"
            if asked["correction"] != asked["test"]
            else "adjusted within the family"
        )
        left_out = f"; {rest} more rows are left out" if rest else ""
        clusters = f" in {counted(asked['clusters'], 'cluster')}" if "clusters" in asked else ""
        return (
            f"{asked['test']} test, {asked['alternative']}, paired over {asked['queries']:,} queries{clusters}, seed "
            f"{asked['seed']}; "
            f"p {how}: {asked['family']}{left_out}"
        )

    @property
    def alpha(self) -> str:
        """Below which adjusted p a pair differs."""
        return f"{self.pairs.answer['alpha'] if self.pairs else ALL_PAIRS.alpha:g}"

    @property
    def comparisons(self) -> list[dict[str, str]]:
        """All pairs in words, the smallest p first."""
        found = self.pairs.answer["comparisons"] if self.pairs else []
        return [
            self._comparison_text(one)
            for one in sorted(found, key=lambda one: (one["p_adjusted"] or 1.0, -abs(one["difference"])))
        ]

    def _comparison_text(self, one: Comparison) -> dict[str, str]:
        known = self.pairs.letters if self.pairs else {}
        return {
            "a": known[one["a"]],
            "b": known[one["b"]],
            "difference": f"{one['difference']:+.3f}",
            "interval": _interval(one["interval"]),
            "p": p_text(one["p"]),
            "p_adjusted": p_text(one["p_adjusted"]),
            "effect_size": "" if one["effect_size"] is None else f"{one['effect_size']:+.2f}",
            "counts": f"{one['wins']}/{one['ties']}/{one['losses']}",
            "superiority": f"{one['superiority']:.2f}",
            "detectable": "" if one["detectable"] is None else f"{one['detectable']:.3f}",
            "verdict": verdict_words(one),
        }

    def tip(self, row: SectionLine, column: SectionLine) -> str:
        """What stands behind a cell of the matrix."""
        found = self.pairs.cell(row.title, column.title) if self.pairs else None
        if found is None:
            return ""
        between = f"{row.letter} - {column.letter} = {found.difference:+.3f} {_interval(found.interval)}".rstrip()
        return f"{between}, p adj. {p_text(found.p_adjusted)}"

    def mark(self, row: SectionLine, column: SectionLine) -> str:
        """▲ better, ▼ worse, · not shown, nothing on the diagonal."""
        found = self.pairs.cell(row.title, column.title) if self.pairs else None
        return found.mark if found else ""

    @property
    def matrix(self) -> tuple[SectionLine, ...]:
        """The lines that were compared with each other."""
        return tuple(line for line in self.lines if self.pairs and line.title in self.pairs.names)

    def as_json(self) -> dict[str, Any]:
        """Table, rows with letters, all comparisons, and how each row is made again."""
        found = arranged("json", self.table)
        rows = [
            {"letter": line.letter, "title": line.title, "beats": self._beats(line), **record(line.row, found)}
            for line in self.lines
        ]
        recipes = {line.letter: _recipe_json(line.recipe) for line in self.lines}
        pairs = self.pairs.answer if self.pairs else None
        return {
            **self.table.as_json(),
            "findings": list(self.findings),
            "rows": rows,
            "pairs": pairs,
            "reproduce": recipes,
        }

    def _beats(self, line: SectionLine) -> list[str]:
        return list(self.pairs.beats(line.title)) if self.pairs else []


def _recipe_json(one: Recipe) -> dict[str, Any]:
    return {**vars(one), "settings": dict(one.settings), "runs": [run._asdict() for run in one.runs]}


def section(
    number: int, result_set: ResultSet, table: Table, results: str, question: TestSpec = ALL_PAIRS
) -> TableSection:
    """The section of `table`, the `number`-th of the report; `results` is the folder as it is typed, for commands to
    copy."""
    rows = titles(table)
    pairs = all_pairs(result_set, table, list(rows.items()), question)
    found = {column.key: column for layout in _LAYOUTS for column in arranged(layout, table)}
    best = {name: _best(table.rows, name) for name in table.metrics}
    lines = []
    for letter, (title, row) in zip(letters(len(rows)), rows.items(), strict=True):
        beats = pairs.superscript(title) if pairs else ""
        cells = {key: _cell(column, row, beats, best) for key, column in found.items()}
        made = recipe(result_set.runs_of_row(table, row), table.metric, results)
        about = " · ".join(method_details(found.values(), row))
        lines.append(SectionLine(letter, title, row, about, cells["lead", table.metric], beats, cells, made))
    return TableSection(
        number=number,
        table=table,
        lines=tuple(lines),
        pairs=pairs,
        findings=tuple(findings(table, rows, pairs)),
        curves=curve_texts(result_set, table),
        environments=tuple(environments(result_set.runs_of(table))),
    )


def _best(rows: Sequence[Row], metric: str) -> float | None:
    return max(
        (row.metrics[metric].mean for row in rows if row.rank is not None and metric in row.metrics), default=None
    )


def _cell(column: Column, row: Row, beats: str, best: Mapping[str, float | None]) -> ReportCell:
    if column.leads or column.layout_name == "others":
        mean = column.value(row)
        highest = row.rank is not None and mean is not None and mean == best[column.name]
        if column.leads:
            return ReportCell(column.text(row), mark=row_texts.mark(row), beats=beats, best=highest)
        return ReportCell(column.text(row), row_texts.interval(row, column.name), best=highest)
    if column.name == "difference" and row.against:
        return ReportCell(column.text(row), _interval(row.against.interval))
    return ReportCell(column.text(row))


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"[{ends[0]:.3f}, {ends[1]:.3f}]"
