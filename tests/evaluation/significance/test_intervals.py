"""Bootstrap intervals: those of scipy, and as they are defined."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.evaluation.significance.bootstrap import bootstrap_means, bootstrap_t, percentile, studentised_means
from harness.evaluation.significance.intervals import INTERVALS, bca_intervals, intervals, studentised_intervals

SKEWED = np.random.default_rng(4).exponential(0.2, (35, 3)) - 0.1


@pytest.mark.parametrize(("name", "method"), [("bca", "BCa"), ("percentile", "percentile")])
def test_bootstrap_intervals_are_scipys(name: str, method: str) -> None:
    for found, column in zip(INTERVALS[name](SKEWED, 0), SKEWED.T, strict=True):
        theirs = stats.bootstrap(
            (column,), np.mean, method=method, n_resamples=50_000, rng=np.random.default_rng(1)
        ).confidence_interval
        assert found == pytest.approx(tuple(theirs), abs=0.01 * np.ptp(column))


def test_bca_on_the_same_samples_is_scipys_to_the_last_digits() -> None:
    """scipy's own formula, fed with our samples."""
    means = bootstrap_means(SKEWED, 0)
    for found, column, drawn in zip(bca_intervals(SKEWED, 0), SKEWED.T, means.T, strict=True):
        jackknife = np.array([np.delete(column, row).mean() for row in range(len(column))])
        off = jackknife.mean() - jackknife
        a = (off**3).sum() / (6 * (off**2).sum() ** 1.5)
        z = stats.norm.ppf(np.mean(drawn < column.mean()))
        ends = [stats.norm.cdf(z + (z + stats.norm.ppf(q)) / (1 - a * (z + stats.norm.ppf(q)))) for q in (0.025, 0.975)]
        assert found == pytest.approx(np.quantile(drawn, ends), abs=1e-9)


def test_percentiles_are_numpys() -> None:
    means = bootstrap_means(SKEWED, 3, 999)
    assert np.array(percentile(means)) == pytest.approx(np.quantile(means, [0.025, 0.975], axis=0).T, abs=1e-12)


def test_studentised_means_are_t_statistics_of_their_samples() -> None:
    drawn = studentised_means(SKEWED, 0, 200)
    chosen = np.random.default_rng(0).integers(0, 35, size=(200, 35))
    expected = [stats.ttest_1samp(SKEWED[rows, 1], SKEWED[:, 1].mean()).statistic for rows in chosen]
    assert drawn[:, 1] == pytest.approx(expected, rel=1e-6)


def test_studentised_intervals_lean_to_the_long_tail_and_may_be_unbounded() -> None:
    column = SKEWED[:, :1]
    (found,) = studentised_intervals(column, 0)
    assert found is not None
    assert found.high - column.mean() > column.mean() - found.low > 0
    assert studentised_intervals(np.array([[1.0], [0.0], [0.0]]), 0) == [None]


def test_studentised_test_rejects_just_where_its_interval_leaves_zero_out() -> None:
    """Shifted so that 0 is the lower end of the interval, the one-sided p is 2.5 %."""
    from harness.evaluation.significance.alternative import Alternative

    (found,) = studentised_intervals(SKEWED[:, :1], 0)
    assert found is not None
    assert bootstrap_t(SKEWED[:, :1] - found.low, 0, side=Alternative.greater)[0] == pytest.approx(0.025, abs=0.001)


@pytest.mark.parametrize("name", INTERVALS)
def test_intervals_cover_the_mean_as_often_as_they_say(name: str) -> None:
    samples = np.random.default_rng(2).normal(0.3, 0.2, size=(40, 400))
    covered = np.mean([bounds is not None and bounds[0] <= 0.3 <= bounds[1] for bounds in intervals(name)(samples, 0)])
    assert 0.91 <= covered <= 0.985


@pytest.mark.parametrize("name", INTERVALS)
def test_many_columns_are_as_one_by_one(name: str) -> None:
    many = np.random.default_rng(9).normal(size=(20, 70))
    together = INTERVALS[name](many, 0)
    assert [together[column] for column in (0, 65)] == [
        pytest.approx(INTERVALS[name](many[:, [c]], 0)[0], abs=1e-9) for c in (0, 65)
    ]
