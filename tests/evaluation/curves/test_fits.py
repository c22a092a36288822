"""Fits against scikit-learn, scipy's curve_fit and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit
from sklearn.isotonic import IsotonicRegression

from harness.errors import UserError
from harness.evaluation.curves.fits import FITS, Knots, fit
from harness.evaluation.exact_sums import Array

AMOUNTS = np.array([100.0, 300.0, 1000.0])


def drawn(amounts: int, rows: int = 40, seed: int = 0) -> Array:
    generator = np.random.default_rng(seed)
    return np.linspace(0.2, 0.5, amounts) + generator.normal(0, 0.15, (rows, amounts))


@pytest.mark.parametrize("points", [2, 3, 7])
def test_monotone_is_isotonic_regression_at_the_measured_amounts(points: int) -> None:
    values, amounts = drawn(points), np.geomspace(100, 3000, points)
    weights = np.arange(1.0, points + 1)
    found = FITS["monotone"].lines(amounts, values, weights).at(amounts)
    expected = [
        IsotonicRegression().fit(np.log(amounts), row, sample_weight=weights).predict(np.log(amounts)) for row in values
    ]
    assert np.abs(found - expected).max() < 1e-12
    assert (np.diff(values, axis=1) < 0).any()


def test_monotone_is_straight_over_the_logarithm_between_them() -> None:
    lines = FITS["monotone"].lines(AMOUNTS, np.array([[0.1, 0.4, 0.5]]), np.ones(3))
    places = np.geomspace(100, 1000, 31)
    assert lines.at(places)[0] == pytest.approx(np.interp(np.log(places), np.log(AMOUNTS), [0.1, 0.4, 0.5]), abs=1e-12)


def test_a_monotone_curve_reaches_a_target_where_it_has_that_value() -> None:
    lines = Knots(AMOUNTS, np.array([[0.1, 0.4, 0.5]] * 5))
    found = lines.reach(np.array([0.05, 0.1, 0.25, 0.5, 0.51]))
    assert found == pytest.approx([100, 100, np.sqrt(100 * 300), 1000, np.inf])
    assert found[0] == 100.0
    assert lines.at(found[2:4])[0] == pytest.approx([0.25, 0.5])


def test_on_a_flat_stretch_the_least_amount_counts() -> None:
    lines = Knots(np.array([1.0, 10.0, 100.0, 1000.0]), np.array([[0.1, 0.3, 0.3, 0.5]]))
    assert lines.reach(np.array([0.3])) == pytest.approx([10.0])


def test_a_power_law_is_found_again() -> None:
    amounts = np.array([100.0, 200, 400, 800, 1600])
    truth = np.array([0.6 - 1.9 * amounts**-0.5, 0.4 - 0.8 * amounts**-0.35])
    lines = FITS["power-law"].lines(amounts, truth, np.ones(5))
    between = np.geomspace(100, 1600, 50)
    expected = np.array([0.6 - 1.9 * between**-0.5, 0.4 - 0.8 * between**-0.35])
    assert np.abs(lines.at(between) - expected).max() < 1e-4
    targets = np.array([0.6 - 1.9 * 500**-0.5, 0.4 - 0.8 * 300**-0.35])
    assert lines.reach(targets) == pytest.approx([500, 300], rel=0.01)


def test_the_power_law_is_that_of_scipy_with_noise_and_weights() -> None:
    amounts, weights = np.geomspace(50, 3200, 7), np.array([1.0, 2, 3, 1, 2, 3, 4])
    generator = np.random.default_rng(3)
    values = 0.6 - 1.5 * amounts**-0.5 + generator.normal(0, 0.004, (5, 7))
    found = FITS["power-law"].lines(amounts, values, weights).at(amounts)
    for row, fitted in zip(values, found, strict=True):

        def law(n: Array, limit: float, gap: float, exponent: float) -> Array:
            return np.asarray(limit - gap * (n / 50) ** -exponent)

        best, _ = curve_fit(law, amounts, row, p0=(0.6, 0.2, 0.5), sigma=weights**-0.5)
        ours, theirs = (float(weights @ (row - line) ** 2) for line in (fitted, law(amounts, *best)))
        assert ours <= theirs + 1e-6
        assert np.abs(fitted - law(amounts, *best)).max() < 5e-4


def test_a_power_law_never_falls_and_its_ends_are_bounds() -> None:
    amounts = np.array([100.0, 200, 400, 800])
    lines = FITS["power-law"].lines(amounts, np.array([[0.5, 0.4, 0.3, 0.2], [0.1, 0.3, 0.4, 0.45]]), np.ones(4))
    assert lines.at(amounts)[0] == pytest.approx([0.35] * 4)
    assert lines.reach(np.array([0.36, 0.05])).tolist() == [np.inf, 100.0]
    assert lines.reach(np.array([0.3, 0.9])).tolist() == [100.0, np.inf]


def test_an_unknown_fit_is_an_error() -> None:
    with pytest.raises(UserError, match=r"unknown fit 'monoton'\n.*monotone"):
        fit("monoton")
