"""Budget curves: closed forms, the band and the target as two views of one thing, and coverage where the truth is
known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from harness.errors import UserError
from harness.evaluation.curves.budget_curve import (
    BudgetCurve,
    CurveTarget,
    ahead_from,
    area,
    area_difference,
    band,
    curve,
    falls,
    needed,
)
from harness.evaluation.curves.fits import FITS
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import bootstrap_means, run_weights
from harness.evaluation.significance.t_intervals import Freedom, Samples, t_intervals

AMOUNTS = np.array([100.0, 300.0, 1000.0])
MONOTONE = FITS["monotone"]


def one_run(drawn: Array, queries: int = 401) -> Samples:
    """Samples over queries alone."""
    return Samples(drawn, np.broadcast_to(drawn.mean(axis=0), drawn.shape), drawn, Freedom(queries - 1, 0))


def made(means: list[float], noise: float = 0.0, amounts: Array = AMOUNTS, seed: int = 0) -> BudgetCurve:
    """A curve whose samples are its means with independent noise."""
    drawn = np.array(means) + np.random.default_rng(seed).normal(0, noise, (400, len(means)))
    return BudgetCurve(amounts, np.array(means), one_run(drawn), np.ones(len(means)), MONOTONE)


def reach(drawn: Array, queries: int = 401) -> Array:
    """Half the width of a t interval from `drawn` (s, ...), of one run on that many queries."""
    return t.ppf(0.975, queries - 1) * drawn.std(axis=0) * math.sqrt(queries / (queries - 1))


def test_the_area_is_the_trapezoid_over_log_amounts() -> None:
    one = made([0.1, 0.4, 0.45], 0.02)
    found = area(one)
    span = math.log(10)
    assert found.value == pytest.approx(np.trapezoid([0.1, 0.4, 0.45], np.log(AMOUNTS)) / span, abs=1e-12)
    half = reach(np.trapezoid(one.samples.queries, np.log(AMOUNTS), axis=1) / span)
    assert found.interval == pytest.approx((found.value - half, found.value + half), abs=1e-12)
    assert area(made([0.3, 0.3, 0.3])).value == pytest.approx(0.3)
    assert area(made([0.3], amounts=AMOUNTS[:1])) is None


def test_the_area_is_of_what_was_measured_and_not_of_the_fit() -> None:
    assert area(made([0.4, 0.2, 0.4])).value == pytest.approx(0.3)


def test_areas_differ_over_the_shared_range_only() -> None:
    a, b = made([0.1, 0.4, 0.45]), made([0.3, 0.5], amounts=np.array([200.0, 2000.0]))
    logs = np.linspace(math.log(200), math.log(1000), 20_001)
    lines = [np.interp(logs, np.log(one.amounts), one.means) for one in (a, b)]
    expected = np.trapezoid(lines[1] - lines[0], logs) / (logs[-1] - logs[0])
    assert area_difference(a, b).value == pytest.approx(expected, abs=1e-8)
    assert area_difference(a, made([0.3, 0.5], amounts=np.array([1000.0, 2000.0]))) is None


def test_a_target_is_read_off_between_the_amounts() -> None:
    one = made([0.1, 0.3, 0.5])
    assert needed(one, CurveTarget(0.2)).value == pytest.approx(math.sqrt(100 * 300))
    assert needed(one, CurveTarget(0.1)).value == 100.0
    assert needed(one, CurveTarget(0.51)).value == math.inf


def test_the_interval_of_a_target_is_where_it_crosses_the_t_interval_of_the_fit() -> None:
    one = made([0.2, 0.3, 0.5], 0.03)
    places = band(one).amounts
    mean, half = np.interp(np.log(places), np.log(AMOUNTS), one.means), reach(one.drawn(places).queries)
    for goal in (0.24, 0.28, 0.33, 0.41):
        low, high = needed(one, CurveTarget(goal)).interval
        # With fewer than `low` even the upper end lies below the target, with more than `high` the lower end is above.
        assert ((mean + half)[places < low * 0.999] < goal).all()
        assert ((mean + half)[places > low * 1.001] > goal).all()
        assert ((mean - half)[places < high * 0.999] < goal).all()
        assert ((mean - half)[places > high * 1.001] > goal).all()


def test_a_band_is_of_percentiles() -> None:
    one = made([0.2, 0.3, 0.5], 0.03)
    found = band(one)
    assert np.stack([found.low, found.high]) == pytest.approx(
        np.quantile(one.drawn(found.amounts).both, [0.025, 0.975], axis=0)
    )
    assert (band(one, queries=False).high == band(one, queries=False).low).all()


def test_an_interval_is_open_where_samples_leave_what_was_measured() -> None:
    one = made([0.2, 0.3, 0.4], 0.05)
    assert needed(one, CurveTarget(0.4)).interval.high == math.inf
    assert needed(one, CurveTarget(0.9)).interval == (math.inf, math.inf)
    assert needed(one, CurveTarget(0.2)).interval.low == 100.0
    assert needed(one, CurveTarget(-0.5)).interval == (100.0, 100.0)


def test_a_target_with_its_own_samples_is_paired() -> None:
    shared = np.random.default_rng(1).normal(0, 0.05, (400, 1))
    means = np.array([0.1, 0.3, 0.5])
    one = BudgetCurve(AMOUNTS, means, one_run(means + shared), np.ones(3), MONOTONE)
    found = needed(one, CurveTarget(0.2, one_run(0.2 + shared[:, 0])))
    assert found.interval == pytest.approx((found.value, found.value))
    low, high = needed(one, CurveTarget(0.2)).interval
    assert high - low > 150


def test_the_crossing_of_two_straight_curves() -> None:
    places = np.array([100.0, 1000.0])
    a, b = made([0.3, 0.4], amounts=places), made([0.2, 0.6], amounts=places)
    # 0.3 + 0.1 x = 0.2 + 0.4 x at x = 1/3 of the way.
    assert ahead_from(a, b).value == pytest.approx(100 * 10 ** (1 / 3))
    assert ahead_from(b, a).value == math.inf
    assert ahead_from(a, made([0.3, 0.5], amounts=places)).value == 100.0


def test_of_two_crossings_the_last_counts_and_knots_may_differ() -> None:
    a = made([0.0, 0.5, 0.5, 1.0], amounts=np.array([1.0, 10.0, 100.0, 1000.0]))
    b = made([0.25, 0.75], amounts=np.array([1.0, 1000.0]))
    assert ahead_from(b, a).value == pytest.approx(10**2.25)
    assert ahead_from(a, b).value == math.inf
    assert ahead_from(a, made([0.1, 0.2], amounts=np.array([1000.0, 9000.0]))) is None


def test_the_interval_of_a_crossing_is_where_the_difference_may_be_none() -> None:
    a, b = made([0.30, 0.34, 0.38], 0.01), made([0.22, 0.34, 0.46], 0.01, seed=1)
    places = np.geomspace(100, 1000, 2001)
    drawn = b.drawn(places).minus(a.drawn(places))
    low, high = t_intervals((b.fitted.at(places) - a.fitted.at(places))[0], drawn)
    possible = places[(low <= 0) & (high >= 0)]
    assert ahead_from(a, b).interval == pytest.approx((possible[0], possible[-1]), rel=2e-3)
    assert ahead_from(a, b).value == pytest.approx(300)
    assert 150 < possible[0] < 300 < possible[-1] < 600


def test_an_interval_of_the_crossing_holds_all_samples_orders() -> None:
    found = ahead_from(made([0.30, 0.31, 0.32], 0.02), made([0.30, 0.31, 0.32], 0.02, seed=1))
    assert found.interval == (100.0, math.inf)
    assert (found.first, found.last) == (100.0, 1000.0)


def test_only_what_surely_falls_is_said_to_fall() -> None:
    assert falls(made([0.5, 0.5, 0.3], 0.01)) == [(100.0, 1000.0), (300.0, 1000.0)]
    assert falls(made([0.5, 0.49, 0.48], 0.05)) == []
    assert falls(made([0.5], amounts=AMOUNTS[:1])) == []


def test_points_of_one_amount_become_their_weighted_mean() -> None:
    samples = np.array([[0.1, 0.5, 0.3]])
    one = curve(
        np.array([300.0, 100.0, 300.0]),
        np.array([0.2, 0.1, 0.6]),
        one_run(samples),
        np.array([1.0, 2.0, 3.0]),
        MONOTONE,
    )
    assert one.amounts.tolist() == [100, 300]
    assert one.means == pytest.approx([0.1, (0.2 + 3 * 0.6) / 4])
    assert one.samples.both[0] == pytest.approx([0.5, (0.1 + 3 * 0.3) / 4])
    assert one.weights.tolist() == [2, 4]


def test_too_few_amounts_for_a_power_law_give_a_monotone_curve() -> None:
    values = np.array([0.1, 0.2, 0.3])
    assert curve(AMOUNTS, values, one_run(values[None]), np.ones(3), FITS["power-law"]).fit.name == "monotone"
    four = np.array([100.0, 200.0, 400.0, 800.0])
    assert (
        curve(four, np.sqrt(four), one_run(np.sqrt(four)[None]), np.ones(4), FITS["power-law"]).fit.name == "power-law"
    )


def test_amounts_that_cannot_stand_on_a_logarithmic_axis_are_errors() -> None:
    with pytest.raises(UserError, match="ascend"):
        made([0.1, 0.2], amounts=np.array([0.0, 100.0]))


def drawn(values: Array, samples: int = 200, seed: int = 5) -> tuple[Array, Samples]:
    """Means (p,) and samples (s, p) of `values` (queries, runs, p) with runs of one draw each."""
    queries, runs, points = values.shape
    weights = run_weights([(run, 0) for run in range(runs)], seed, samples)
    each = bootstrap_means(values.reshape(queries, -1), seed, samples).reshape(samples, runs, points)
    both = (weights[:, :, None] * each).sum(axis=1)
    return values.mean(axis=(0, 1)), Samples(
        each.mean(axis=1), weights @ values.mean(axis=0), both, Freedom(queries - 1, runs - 1)
    )


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Queries, resamples and budgets as in a sweep: nested draws share their luck, queries are the same at every
    budget."""
    generator = np.random.default_rng(11)
    truth, queries, runs, trials, goal = np.array([0.30, 0.38, 0.50]), 80, 6, 200, 0.44
    exact = math.exp(np.interp(goal, truth, np.log(AMOUNTS)))
    average = np.trapezoid(truth, np.log(AMOUNTS)) / math.log(10)
    held = np.zeros(2)
    for _ in range(trials):
        luck = generator.normal(0, 0.02, (runs, 1)) + generator.normal(0, 0.01, (runs, 3))
        values = truth + luck + generator.normal(0, 0.2, (queries, 1, 1)) + generator.normal(0, 0.1, (queries, runs, 3))
        means, samples = drawn(values)
        one = BudgetCurve(AMOUNTS, means, samples, np.ones(3), MONOTONE)
        amount, mean = needed(one, CurveTarget(goal)).interval, area(one).interval
        held += (amount.low <= exact <= amount.high, mean.low <= average <= mean.high)
    # 95 % of 200 trials, three standard errors either way.
    assert (np.abs(held / trials - 0.95) < 3 * math.sqrt(0.95 * 0.05 / trials)).all()


def test_two_resamples_do_not_make_a_comparison_of_curves_too_sure() -> None:
    """Where the draw of labels is most of what a difference is uncertain by; percentiles of the samples hold 0.7 to 0.8
    of the truths."""
    generator = np.random.default_rng(3)
    truth, queries, runs, trials = np.array([[0.30, 0.38, 0.46], [0.24, 0.36, 0.52]]), 120, 2, 200
    apart = np.trapezoid(truth[1] - truth[0], np.log(AMOUNTS)) / math.log(10)
    crossing = math.exp(np.interp(0, truth[1] - truth[0], np.log(AMOUNTS)))
    held = np.zeros(2)
    for _ in range(trials):
        values = (
            truth[:, None, None]
            + generator.normal(0, 0.02, (2, 1, runs, 1))
            + generator.normal(0, 0.1, (2, queries, runs, 3))
        )
        means, samples = drawn(np.concatenate(list(values), axis=2))
        a, b = (
            BudgetCurve(AMOUNTS, means[one], samples.each(lambda part, one=one: part[:, one]), np.ones(3), MONOTONE)
            for one in (slice(3), slice(3, 6))
        )
        area_, amount = area_difference(a, b).interval, ahead_from(a, b).interval
        held += (area_.low <= apart <= area_.high, amount.low <= crossing <= amount.high)
    assert (held / trials >= 0.90).all()
