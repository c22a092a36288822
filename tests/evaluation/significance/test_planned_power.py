"""What a comparison could show before it runs, against the noncentral t and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of, fixed_run
from harness.evaluation.significance.planned_power import (
    Spread,
    least_difference,
    least_margin,
    queries_needed_with,
    runs_needed,
)
from harness.evaluation.significance.t_intervals import degrees


def simulated(queries: int, runs: int, luck: float, mean: float = 0.0, seed: int = 0) -> MeanDifference:
    generator = np.random.default_rng(seed)
    own = generator.normal(0, 0.15, (queries, 1)) + generator.normal(0, 0.05, (queries, runs))
    values = mean + own + generator.normal(0, luck, runs)
    return difference_of(MethodRuns(values, tuple((run, 0) for run in range(runs))), fixed_run(np.zeros(queries)))


@pytest.mark.parametrize(("queries", "runs", "deviation"), [(231, 3, 0.14), (900, 5, 0.2), (113, 3, 0.14)])
@pytest.mark.parametrize(("alpha", "sides"), [(0.05, 2), (0.0125, 2), (0.05, 1)])
def test_least_differences_by_the_noncentral_t(
    queries: int, runs: int, deviation: float, alpha: float, sides: int
) -> None:
    spread = Spread(deviation, 0.01, queries, runs)
    of_queries, of_runs = deviation**2 / queries, 0.01**2 / runs
    freedom = degrees([(of_queries, queries - 1)], [(of_runs, runs - 1)])
    critical = stats.t.ppf(1 - alpha / sides, freedom)
    shift = optimize.brentq(lambda shift: stats.nct.sf(critical, freedom, shift) - 0.8, 0, 50)

    assert least_difference(spread, alpha, sides=sides) == pytest.approx(shift * math.sqrt(of_queries + of_runs))
    assert least_margin(spread, alpha) == least_difference(spread, alpha, sides=1)


def test_a_least_difference_is_shown_in_four_of_five_cases() -> None:
    least = least_difference(Spread(math.hypot(0.15, 0.05 / math.sqrt(4)), 0.01, 200, 4))
    p = np.array([simulated(200, 4, 0.01, mean=least, seed=seed).p() for seed in range(400)])

    assert 0.72 < (p < 0.05).mean() < 0.88


def test_more_runs_or_queries_are_told_that_would_do() -> None:
    spread = Spread(0.14, 0.006, 231, 3)
    runs, queries = runs_needed(spread, 0.03, 0.05, 2), queries_needed_with(spread, 0.03, 0.05, 2)

    assert runs is not None and queries is not None
    assert least_difference(spread._replace(runs=runs)) <= 0.03 < least_difference(spread._replace(runs=runs - 1))
    assert least_difference(spread._replace(queries=queries)) <= 0.03
    assert runs_needed(spread, 0.01, 0.05, 2) is None, "with these queries no number of runs shows it"
    assert queries_needed_with(spread._replace(luck=0.05), 0.01, 0.05, 2) is None


@pytest.mark.parametrize("shared", [0.0, 0.4, 0.9])
def test_a_comparison_that_was_made_tells_its_own_spread(shared: float) -> None:
    values = np.random.default_rng(1).normal(0, 0.1, (90, 4)) + np.array([0.1, 0.0, -0.1, 0.05])
    design = tuple((run, 0) for run in range(4))
    found = difference_of(MethodRuns(values, design, shared), fixed_run(np.zeros(90)))
    spread = Spread.of(found)
    assert (spread.error, spread.freedom) == pytest.approx((found.error, found.freedom))
    assert spread.luck == pytest.approx(values.mean(axis=0).std(ddof=1)), "what is seen, before it is multiplied"
    assert least_difference(spread._replace(shared=1.0)) == math.inf
