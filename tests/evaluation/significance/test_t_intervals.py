"""t intervals over queries and runs: Welch's interval as the reference, and the floor of what runs may differ by."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.t_intervals import Freedom, Samples, caution, stacked, t_intervals


def spread(variance: float) -> Array:
    """Samples with that variance."""
    return np.sqrt(variance) * np.tile([1.0, -1.0], 50)


def test_two_parts_are_as_the_two_samples_of_welch() -> None:
    """The difference of two independent means is what Satterthwaite's approximation was made for."""
    generator = np.random.default_rng(0)
    for n, u, scale in ((50, 60, 1.0), (200, 80, 0.3), (30, 50, 0.02)):
        of_queries, of_runs = generator.normal(0, 1, n), generator.normal(0, scale, u)
        # As a bootstrap of n of n has it: (n - 1) / n of the variance; u - 1 of u are drawn, which has all of it.
        queries, runs = spread(of_queries.var() / n), spread(of_runs.var(ddof=1) / u)
        value = of_queries.mean() - of_runs.mean()
        found = t_intervals(np.array(value), Samples(queries, runs, queries + runs, Freedom(n - 1, u - 1)))
        expected = ttest_ind(of_queries, of_runs, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-3)


def test_one_run_leaves_the_t_interval_over_queries() -> None:
    values = np.random.default_rng(1).normal(0.4, 0.2, 40)
    drawn = values.mean() + spread(values.var() / 40)
    found = t_intervals(np.array(values.mean()), Samples(drawn, np.zeros(100), drawn, Freedom(39, 0)), level=0.9)
    assert (found.low, found.high) == pytest.approx(
        t.interval(0.9, 39, values.mean(), values.std(ddof=1) / np.sqrt(40)), rel=1e-9
    )


def test_runs_that_are_alike_by_chance_do_not_prove_that_runs_are_alike() -> None:
    """Their interaction with queries is known from all queries: the part of runs is at least that."""
    queries, interaction = spread(1.0), np.sqrt(0.5) * np.repeat([1.0, -1.0], 50)
    found = t_intervals(np.zeros(()), Samples(queries, np.zeros(100), queries + interaction, Freedom(10_000, 1)))
    weight = caution(1) * 0.5
    freedom = (1 + weight) ** 2 / (1 / 10_000 + weight**2)
    assert found.high == pytest.approx(t.ppf(0.975, freedom) * np.sqrt(1.5), rel=1e-3)


def test_what_does_not_vary_has_no_width() -> None:
    still = np.full((100, 2), 0.3)
    found = t_intervals(still[0], Samples(still, still, still, Freedom(5, 1)))
    assert (found.low == still[0]).all()
    assert (found.high == still[0]).all()


def test_samples_are_put_together_with_the_fewest_degrees_of_freedom() -> None:
    a, b, c = (
        Samples(spread(1), spread(2), spread(3), freedom) for freedom in (Freedom(9, 4), Freedom(7, 0), Freedom(9, 2))
    )
    whole = stacked([a, b, c])
    assert (whole.runs.shape, whole.freedom) == ((100, 3), Freedom(7, 2))
    assert whole.each(lambda part: part[:, 0]).minus(c).freedom == Freedom(7, 2)
    assert a.minus(b).freedom == Freedom(7, 4)
    assert (a.minus(c).both == 0).all()
