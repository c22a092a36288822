"""Budget curves: the leading metric against the number of labels, one series a configuration, ready to be drawn
anywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.curves.cost_axes import AXES, Axis, axis_of
from harness.method import Category

RUNS, QUERIES = "resamples and seeds", "queries"
FEW = 5
"""With fewer runs, intervals over them hold the truth clearly less often than 95 % (docs/budget-curves.md has the
simulation)."""
MOST = 8
"""Series that can be told apart in one picture."""
_NEAR, _LEAST = 0.25, 0.02
"""How far from the curves a level may lie to be drawn, in parts of what they span and at least: one far off would press
all curves flat."""


@dataclass(frozen=True)
class Point:
    """A row as a point of its curve; `low` and `high` bound its 95 % band, equal to the mean where there is none."""

    budget: int
    mean: float
    low: float
    high: float
    runs: int
    x: float
    """Where it stands on the chart's axis."""
    run_ids: tuple[str, ...]
    """Of its row: the ids of its runs."""


@dataclass(frozen=True)
class Series:
    """One configuration over budgets, fewest labels first."""

    name: str
    method: str
    category: Category
    teacher_type: str | None
    """Of the teacher: real, placebo, simulated, oracle."""
    points: tuple[Point, ...]

    @property
    def kind(self) -> tuple[str, str | None]:
        """What a picture should not leave out: the method, with a real, a false or an all-knowing teacher."""
        return self.method, self.teacher_type


@dataclass(frozen=True)
class ReferenceLevel:
    """A row that needs no labels: a horizontal line."""

    name: str
    mean: float
    run_ids: tuple[str, ...]
    """Of its row: the ids of its runs."""
    mark: str = ""
    """What its title says beside the name: that it is a control."""

    @property
    def title(self) -> str:
        """Its name, marked."""
        return f"{self.name} ({self.mark})" if self.mark else self.name


@dataclass(frozen=True)
class Chart:
    """All series and levels of a table, best last point first."""

    title: str
    metric: str
    series: tuple[Series, ...]
    levels: tuple[ReferenceLevel, ...]
    band: str
    """What the bands are intervals over: resamples and seeds where any row has several runs (rows with one have no
    band), or queries."""
    left_out: int = 0
    """Series that a selection dropped."""
    axis: Axis = AXES["labels"]
    """What the points stand over."""

    @property
    def budgets(self) -> list[int]:
        """All numbers of labels, ascending."""
        return sorted({point.budget for one in self.series for point in one.points})

    @property
    def places(self) -> list[float]:
        """Where points stand on the axis, ascending."""
        return sorted({point.x for one in self.series for point in one.points})

    @property
    def span(self) -> tuple[float, float]:
        """The least and the largest value of the points and their bands."""
        points = [point for one in self.series for point in one.points]
        return min(point.low for point in points), max(point.high for point in points)

    @property
    def drawn_levels(self) -> tuple[ReferenceLevel, ...]:
        """The levels that are near enough to the curves to be drawn beside them."""
        low, high = self.span
        near = max(_NEAR * (high - low), _LEAST)
        return tuple(level for level in self.levels if low - near <= level.mean <= high + near)

    @property
    def outside(self) -> str:
        """The other levels in words: 'above the plot: bm25 0.676'; empty where all are drawn."""
        far = [level for level in self.levels if level not in self.drawn_levels]
        sides = {"above": [one for one in far if one.mean > self.span[1]]}
        sides["below"] = [one for one in far if one not in sides["above"]]
        return "; ".join(
            f"{side} the plot: {', '.join(f'{one.title} {one.mean:.3f}' for one in levels)}"
            for side, levels in sides.items()
            if levels
        )

    @property
    def note(self) -> str:
        """What the bands are, and what a selection left out."""
        left_out = (
            f"; best series of each method, then the best others, {self.left_out} not drawn" if self.left_out else ""
        )
        return f"bands: {self.band_text(self.band)}{left_out}"

    def band_text(self, band: str) -> str:
        """What bands over `band` are: intervals of 95 %, or what two or three runs say instead."""
        fewest = min((point.runs for one in self.series for point in one.points if point.runs > 1), default=FEW)
        return (
            f"spread over {band}, too few for 95 %" if band == RUNS and fewest < FEW else f"95 % intervals over {band}"
        )


def chart(table: Table, axis: str = "labels", hour: float = 0.0) -> Chart | None:
    """The budget curves of a table by its leading metric, against labels or another of AXES; None when no row has any
    of that.

    An `hour` of the machine in USD counts for money. Rows that have none of it become levels; those that have a budget
    but no price (a teacher for free) are on no curve.
    """
    over = axis_of(axis, hour)
    rows = [row for row in table.rows if table.metric in row.metrics]
    groups: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.budget and over.of(row) > 0:
            groups[row.method, row.teacher, row.ranker_loss, row.retriever_loss, row.student, row.variant].append(row)
    if not groups:
        return None
    names = _names([members[0] for members in groups.values()])
    runs = any(row.metrics[table.metric].runs_interval for row in rows)
    series = [
        _series(name, members, table.metric, runs, over) for name, members in zip(names, groups.values(), strict=True)
    ]
    levels = [
        ReferenceLevel(row.name, row.metrics[table.metric].mean, row.run_ids, row_texts.doubt(row))
        for row in rows
        if not row.budget
    ]
    title = f"{table.collection} ({table.split})"
    ordered = tuple(sorted(series, key=lambda one: -one.points[-1].mean))
    return Chart(title, table.metric, ordered, tuple(levels), RUNS if runs else QUERIES, axis=over)


def _names(rows: Sequence[Row]) -> list[str]:
    """Each row's method with what tells the rows apart and nothing else."""
    kept = [
        key
        for key in ("teacher", "ranker_loss", "retriever_loss", "student")
        if len({getattr(row, key) or "" for row in rows} - {""}) > 1
    ]
    return [
        ", ".join(
            [
                row.method,
                *(str(getattr(row, key)) for key in kept if getattr(row, key)),
                *([row.variant] * bool(row.variant)),
            ]
        )
        + (f" ({mark})" if (mark := row_texts.doubt(row)) else "")
        for row in rows
    ]


def _series(name: str, rows: list[Row], metric: str, runs: bool, axis: Axis) -> Series:
    points = []
    for row in sorted(rows, key=axis.of):
        estimate = row.metrics[metric]
        low, high = (estimate.runs_interval if runs else estimate.interval) or (estimate.mean, estimate.mean)
        points.append(Point(row.budget or 0, estimate.mean, low, high, row.runs, axis.of(row), row.run_ids))
    return Series(name, rows[0].method, rows[0].category, rows[0].teacher_type, tuple(points))


def amount_text(value: float, axis: Axis, *, rounded: bool = False) -> str:
    """An amount with its sensible digits: two that count where it was read off a curve, all of them where it was
    measured."""
    value = float(f"{value:.2g}") if rounded else value
    if axis.unit != AXES["usd"].unit:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.2g}"


def select(whole: Chart, most: int = MOST) -> Chart:
    """At most `most` series: the best one of each method first, then the best of the others (by their last points)."""
    best = {one.kind: one for one in reversed(whole.series)}
    others = [one for one in whole.series if best[one.kind] is not one]
    chosen = sorted([*best.values()], key=lambda one: -one.points[-1].mean)[:most]
    chosen += others[: most - len(chosen)]
    kept = tuple(one for one in whole.series if one in chosen)
    return replace(whole, series=kept, left_out=len(whole.series) - len(kept))
