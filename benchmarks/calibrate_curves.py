"""``python -m benchmarks.calibrate_curves [--sweeps N]``: do the intervals of budget curves hold the truth as often as
they say?

Sweeps of two methods whose true curves cross are simulated; a Markdown table says how often each interval holds the
truth. Numbers below the goal are marked: † where none is claimed, (!) otherwise, and then the exit code is 1.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.evaluation.curves.budget_curve import (
    BudgetCurve,
    CurveTarget,
    ahead_from,
    area,
    area_difference,
    curve,
    needed,
)
from harness.evaluation.curves.fits import FITS, Monotone
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval, bootstrap_means, percentile, run_weights
from harness.evaluation.significance.hierarchical import hierarchical_means
from harness.evaluation.significance.t_intervals import Freedom, Samples

AMOUNTS = np.array([100.0, 300.0, 1000.0])
TRUTH = np.array([[0.30, 0.38, 0.46], [0.24, 0.36, 0.52]])
"""Of each method at each amount: the second is ahead from between 300 and 1,000 on."""
GOAL = 0.42
"""A target between 300 and 1,000 for both."""
QUERY, RUN = 0.2, 0.1
"""Standard deviations per query: what all runs share, and of each run."""
SAMPLES = 500
LEAST, LEAST_OF_FEW = 0.94, {2: 0.88, 3: 0.92}
"""Of t intervals, and of those of two or three resamples: what Satterthwaite's approximation reaches in its worst case,
where about nine tenths of the variance are the runs'. A rate is marked when it is three standard errors below."""
CLAIMED = ("needed", "area", "crossing", "area difference")
KEPT = (*CLAIMED, "difference by percentiles", "row's mean", "runs of a row")
"""The last three are percentile intervals, of which nothing is claimed."""


@dataclass(frozen=True)
class Setting:
    """A sweep: test queries, resamples, and what the draw of labels does to a method, as a standard deviation."""

    queries: int
    resamples: int
    luck: float


SETTINGS = [Setting(queries, resamples, 0.02) for queries in (50, 200) for resamples in (2, 3, 5, 10)]
SETTINGS += [Setting(200, resamples, luck) for luck in (0.05, 0.005, 0.0) for resamples in (2, 3, 5)]


class Sweep(NamedTuple):
    """Values (queries, 2 methods, 3 amounts, resamples), and by how much its queries are easier than all queries
    are."""

    values: Array
    easier: float


def simulated(setting: Setting, generator: np.random.Generator) -> Sweep:
    """The amounts are nested draws and share their luck."""
    luck = generator.normal(0, setting.luck, (2, 1, setting.resamples))
    shared = generator.normal(0, QUERY, (setting.queries, 1, 1, 1))
    own = generator.normal(0, RUN, (setting.queries, 2, len(AMOUNTS), setting.resamples))
    return Sweep(TRUTH[:, :, None] + luck + shared + own, float(shared.mean()))


def curves(values: Array, seed: int) -> tuple[BudgetCurve, BudgetCurve]:
    """Both methods' curves, drawn as `harness.leaderboard` draws them. Values as `simulated` gives them."""
    queries, methods, amounts, resamples = values.shape
    design = tuple((resample, 0) for resample in range(resamples))
    groups = list(values.transpose(1, 2, 0, 3).reshape(methods * amounts, queries, resamples))
    over_queries = bootstrap_means(np.column_stack([group.mean(axis=1) for group in groups]), seed, SAMPLES)
    over_runs = np.column_stack([run_weights(design, seed, SAMPLES) @ group.mean(axis=0) for group in groups])
    both = np.column_stack([one.means for one in hierarchical_means(groups, [design] * len(groups), seed, SAMPLES)])
    samples = Samples(over_queries, over_runs, both, Freedom(queries - 1, resamples - 1))
    a, b = (_curve(groups, samples, slice(start, start + amounts)) for start in (0, amounts))
    return a, b


def _curve(groups: list[Array], samples: Samples, columns: slice) -> BudgetCurve:
    means = np.array([group.mean() for group in groups[columns]])
    return curve(
        AMOUNTS, means, samples.each(lambda part: part[:, columns]), np.ones(len(AMOUNTS)), FITS[Monotone.name]
    )


def _mean(values: Array) -> float:
    """Over log amounts, by the trapezoidal rule."""
    return float(np.trapezoid(values, np.log(AMOUNTS)) / math.log(AMOUNTS[-1] / AMOUNTS[0]))


def held(sweep: Sweep, seed: int) -> list[bool]:
    """Which of the intervals of KEPT hold the truth."""
    a, b = curves(sweep.values, seed)
    logs, difference = np.log(AMOUNTS), TRUTH[1] - TRUTH[0]
    mean, apart, ahead = area(a), area_difference(a, b), ahead_from(a, b)
    assert mean is not None and apart is not None and ahead is not None
    weights = np.array([_mean(unit) for unit in np.eye(len(AMOUNTS))])
    by_percentiles = percentile(((b.samples.both - a.samples.both) @ weights)[:, None])[0]
    row, runs = (percentile(part[:, :1])[0] for part in (a.samples.both, a.samples.runs))
    found: list[tuple[Interval, float]] = [
        (needed(a, CurveTarget(GOAL)).interval, math.exp(np.interp(GOAL, TRUTH[0], logs))),
        (mean.interval, _mean(TRUTH[0])),
        (ahead.interval, math.exp(np.interp(0.0, difference, logs))),
        (apart.interval, _mean(difference)),
        (by_percentiles, _mean(difference)),
        (row, float(TRUTH[0, 0])),
        (runs, float(TRUTH[0, 0]) + sweep.easier),
    ]
    return [interval.low <= truth <= interval.high for interval, truth in found]


def coverage(sweeps: int, seed: int) -> Iterator[str]:
    """Rows: share of simulated sweeps in which each interval holds the truth."""
    yield f"| queries | resamples | luck | {' | '.join(KEPT)} |"
    yield "|" + "--:|" * (3 + len(KEPT))
    for setting in SETTINGS:
        generator = np.random.default_rng((seed, setting.queries, setting.resamples, round(1e4 * setting.luck)))
        rates = np.mean([held(simulated(setting, generator), seed + number) for number in range(sweeps)], axis=0)
        shown = " | ".join(
            _cell(float(rate), name, setting.resamples, sweeps) for rate, name in zip(rates, KEPT, strict=True)
        )
        yield f"| {setting.queries} | {setting.resamples} | {setting.luck:g} | {shown} |"


def _cell(rate: float, name: str, resamples: int, sweeps: int) -> str:
    least = LEAST_OF_FEW.get(resamples, LEAST)
    mark = "" if rate >= least - 3 * math.sqrt(least * (1 - least) / sweeps) else " (!)" if name in CLAIMED else " †"
    return f"{rate:.2f}{mark}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate_curves", description=__doc__)
    parser.add_argument(
        "--sweeps", type=int, default=200, help="simulated sweeps a row of the table; with 400 a rate is known to 0.02"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = False
    for row in coverage(options.sweeps, options.seed):
        print(row, flush=True)
        failed = failed or "(!)" in row
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
