"""The curves of a chart as statistics: fits with bands, areas, and what must be said beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.evaluation.curves.budget_curve import Band, BudgetCurve, CurveTarget, CurveValue, area, band, curve, falls
from harness.evaluation.curves.fits import FITS, Monotone, fit
from harness.evaluation.significance.bootstrap import bootstrap_means, run_weights, units
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.t_intervals import Freedom, Samples, stacked
from harness.leaderboard.board_model import Table
from harness.leaderboard.configuration import Configuration
from harness.leaderboard.curves.series import FEW, QUERIES, RUNS, Chart, Series
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.row_query_values import own_name
from harness.leaderboard.row_statistics import SAMPLES, SEED, measure, queries_of
from harness.text import counted

ALL = f"{QUERIES}, {RUNS}"
BANDS = (RUNS, ALL)
"""What a band can be an interval over: luck with the draw of labels alone, or also with the choice of test queries."""
Drawn = Mapping[tuple[str, ...], Samples]
"""Bootstrapped means (SAMPLES,) of rows by their runs' ids."""


@dataclass(frozen=True)
class Fitted:
    """A series with its curve; `area` is the mean over the logarithm of the amount, `notes` what a reader must know."""

    series: Series
    curve: BudgetCurve = field(repr=False)
    band: Band = field(repr=False)
    area: CurveValue | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Statistics:
    """Every series of a chart fitted, all from the same draws of queries, resamples and seeds."""

    chart: Chart
    fitted: tuple[Fitted, ...]
    targets: dict[str, CurveTarget] = field(repr=False)
    """Rows that need no labels, by name: what a curve may have to reach."""
    over: str
    """What the bands are intervals over, one of BANDS; all other intervals are over queries, resamples and seeds."""

    @property
    def legend(self) -> str:
        """What lines and bands are, for the foot of a picture."""
        fits = ", ".join(dict.fromkeys(one.curve.fit.name for one in self.fitted))
        return f"curves: {fits} fit; bands of the fit: {self.chart.band_text(self.over)}"

    @property
    def note(self) -> str:
        """How the curves and all intervals were made, in a sentence."""
        return f"{self.legend}; areas and amounts: t intervals over {ALL}; {SAMPLES:,} bootstrap samples, seed {SEED}"

    @property
    def doubts(self) -> dict[str, list[str]]:
        """The notes of all series, each once, with the names of those that it is about."""
        about: dict[str, list[str]] = {}
        for one in self.fitted:
            for note in one.notes:
                about.setdefault(note, []).append(one.series.name)
        return about


def statistics_of(
    result_set: ResultSet, table: Table, chart: Chart, fit_name: str = Monotone.name, over: str | None = None
) -> Statistics | None:
    """Fits of all series of `chart`, one of `table`; None with a single query or cluster, over which nothing varies.

    `fit_name` is one of FITS; a series with too few amounts for it is fitted monotonically, and its notes say so.
    `over` is one of BANDS, by default what the chart's own bands are over. Raises UserError for an unknown fit.
    """
    if (table.clusters.count if table.clusters else table.queries) < 2:
        return None
    drawn = _drawn(
        _configurations(result_set, table, chart),
        own_name(result_set, table),
        queries_of(result_set.runs_of(table)),
        table.clusters,
    )
    over = over or (RUNS if chart.band == RUNS else ALL)
    fitted = tuple(_fitted(one, fit_name, drawn, over) for one in chart.series)
    targets = {level.name: CurveTarget(level.mean, drawn[level.run_ids]) for level in chart.levels}
    return Statistics(chart, fitted, targets, over)


def _configurations(result_set: ResultSet, table: Table, chart: Chart) -> dict[tuple[str, ...], Configuration]:
    rows = {row.run_ids: row for row in table.rows}
    wanted = [
        *(point.run_ids for one in chart.series for point in one.points),
        *(level.run_ids for level in chart.levels),
    ]
    return {tags: Configuration(tuple(result_set.runs_of_row(table, rows[tags]))) for tags in wanted}


def _drawn(
    found: Mapping[tuple[str, ...], Configuration], metric: str, queries: list[str], clusters: Clusters | None
) -> Drawn:
    """Samples of every row from the same draws as the intervals of the board."""
    measured = measure(list(found.values()), metric, queries, SEED, clusters)
    means = np.column_stack(list(measured.means.values()))
    over_queries = bootstrap_means(clusters.linearised(means) if clusters else means, SEED, SAMPLES)
    independent = round(clusters.effective) if clusters else len(queries)
    samples = {}
    for number, (tags, one) in enumerate(found.items()):
        runs = measured.runs[number]
        over_runs = run_weights(one.design, SEED, SAMPLES) @ runs.values.mean(axis=0)
        over_runs += (np.sqrt(runs.factor) - 1) * (over_runs - runs.values.mean())
        freedom = Freedom(max(1, independent - 1), max(units(one.design)))
        samples[tags] = Samples(over_queries[:, number], over_runs, measured.samples[number], freedom)
    return samples


def _fitted(one: Series, fit_name: str, drawn: Drawn, over: str) -> Fitted:
    amounts, means, runs = np.array([(point.x, point.mean, point.runs) for point in one.points]).T
    made = curve(amounts, means, stacked([drawn[point.run_ids] for point in one.points]), runs, fit(fit_name))
    return Fitted(one, made, band(made, queries=over == ALL), area(made), tuple(_notes(one, made, fit_name)))


def _notes(one: Series, full: BudgetCurve, fit_name: str) -> list[str]:
    """Doubts in the order of their weight."""
    notes = []
    if len(full.amounts) == 1:
        notes.append("one amount: a point, no curve")
    elif len(full.amounts) < FITS[fit_name].least:
        notes.append(f"{len(full.amounts)} amounts, too few for {fit_name}: monotone")
    notes += [
        f"falls from {start:,.4g} to {stop:,.4g}, which a rising fit cannot follow" for start, stop in falls(full)
    ]
    fewest = min(point.runs for point in one.points)
    if fewest == 1:
        notes.append("one run at a point: luck with the draw of labels is not in its intervals")
    elif fewest < FEW:
        notes.append(
            f"{counted(fewest, 'run')} at a point: where the draw of labels matters, its band is too narrow and t "
            "intervals are wide"
        )
    return notes
