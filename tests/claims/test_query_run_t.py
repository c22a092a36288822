"""The t over queries and runs against closed forms, and what it could show against simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from harness.claims.detectable_difference import (
    Spread,
    least_difference,
    least_margin,
    queries_needed_with,
    runs_needed,
)
from harness.claims.query_run_t import mean_difference, pooled_difference
from harness.evaluation.significance.resample_overlap import overlap_factor
from harness.evaluation.significance.t_intervals import degrees


def drawn(queries: int, runs: int, luck: float, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    own = generator.normal(0, 0.15, (queries, 1)) + generator.normal(0, 0.05, (queries, runs))
    return mean + own + generator.normal(0, luck, runs)


def test_with_one_run_it_is_the_paired_t_test() -> None:
    values = drawn(50, 1, 0.0, mean=0.03)
    found = mean_difference(values)
    known = stats.ttest_1samp(values[:, 0], 0)

    assert found.two_sided() == pytest.approx(known.pvalue)
    assert found.above() == pytest.approx(stats.ttest_1samp(values[:, 0], 0, alternative="greater").pvalue)
    assert found.interval() == pytest.approx(tuple(known.confidence_interval()))


def test_with_several_runs_it_is_the_closed_form() -> None:
    values = drawn(80, 4, 0.05, mean=0.03)
    found = mean_difference(values)
    of_queries, of_runs = values.mean(1).var(ddof=1) / 80, values.mean(0).var(ddof=1) / 4
    freedom = degrees([(of_queries, 79)], [(of_runs, 3)])
    t = values.mean() / math.sqrt(of_queries + of_runs)

    assert (found.of_queries, found.of_runs, found.freedom) == pytest.approx((of_queries, of_runs, freedom))
    assert found.above() == pytest.approx(stats.t.sf(t, freedom))
    assert found.below() == pytest.approx(stats.t.cdf(t, freedom))


def test_runs_that_happen_to_be_alike_do_not_prove_that_luck_is_none() -> None:
    values = drawn(80, 2, 0.0)
    values[:, 1] += values[:, 0].mean() - values[:, 1].mean()
    found = mean_difference(values)
    rest = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()

    assert values.mean(0).var() == pytest.approx(0, abs=1e-20)
    assert found.of_runs == pytest.approx((rest**2).sum() / 79 / 160) and found.of_runs > 0


def test_equally_good_methods_are_called_different_in_five_of_a_hundred_cases() -> None:
    p = np.array([mean_difference(drawn(400, 3, 0.01, seed=seed)).two_sided() for seed in range(600)])

    assert 0.02 < (p < 0.05).mean() < 0.07


@pytest.mark.parametrize(("pool", "size"), [(371, 300), (1786, 1000)])
@pytest.mark.parametrize("runs", [2, 3, 5])
def test_the_factor_is_what_shared_queries_hide(pool: int, size: int, runs: int) -> None:
    generator = np.random.default_rng(1)
    whole, visible = [], []
    for _ in range(3000):
        taught = generator.normal(size=pool)
        means = [generator.choice(taught, size, replace=False).mean() for _ in range(runs)]
        whole.append(np.mean(means))
        visible.append(np.var(means, ddof=1) / runs)

    assert np.var(whole) / np.mean(visible) == pytest.approx(overlap_factor(size / pool, runs), rel=0.12)


def test_draws_that_share_nothing_are_left_as_they_are_and_those_that_share_all_say_nothing() -> None:
    assert overlap_factor(0.0, 3) == 1
    assert overlap_factor(1.0, 3) == math.inf
    assert mean_difference(drawn(50, 3, 0.01, mean=5.0), shared=1.0).above() == 1.0


def test_p_is_never_0_and_what_does_not_vary_is_known() -> None:
    assert mean_difference(np.full((5, 3), 0.1)).above() == 0.5**5, "five signs can say no more"
    assert 0 < mean_difference(np.full((2000, 3), 0.1)).above() < 1e-300
    assert mean_difference(np.zeros((5, 3))).above() == 1.0
    assert mean_difference(np.zeros((5, 3))).interval() == (0.0, 0.0)


def test_pooled_differences_weigh_the_same() -> None:
    parts = [mean_difference(drawn(queries, 3, 0.02, seed=queries)) for queries in (40, 90, 400)]
    pooled = pooled_difference(parts)

    assert pooled.mean == pytest.approx(np.mean([part.mean for part in parts]))
    assert pooled.error == pytest.approx(np.sqrt(sum(part.error**2 for part in parts)) / 3)
    assert min(part.freedom for part in parts) < pooled.freedom


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
    p = np.array([mean_difference(drawn(200, 4, 0.01, mean=least, seed=seed)).two_sided() for seed in range(400)])

    assert 0.72 < (p < 0.05).mean() < 0.88


def test_more_runs_or_queries_are_told_that_would_do() -> None:
    spread = Spread(0.14, 0.006, 231, 3)
    runs, queries = runs_needed(spread, 0.03, 0.05, 2), queries_needed_with(spread, 0.03, 0.05, 2)

    assert runs is not None and queries is not None
    assert least_difference(spread._replace(runs=runs)) <= 0.03 < least_difference(spread._replace(runs=runs - 1))
    assert least_difference(spread._replace(queries=queries)) <= 0.03
    assert runs_needed(spread, 0.01, 0.05, 2) is None, "with these queries no number of runs shows it"
    assert queries_needed_with(spread._replace(luck=0.05), 0.01, 0.05, 2) is None
