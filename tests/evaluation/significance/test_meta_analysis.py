"""Random effects over collections: statsmodels' numbers, and what they must be where all agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from harness.errors import UserError
from harness.evaluation.significance.meta_analysis import combine, paule_mandel

DISAGREEING = (np.array([0.08, -0.01, 0.03, 0.12, 0.05]), np.array([4e-4, 2e-4, 9e-4, 3e-4, 1e-4]))
AGREEING = (np.array([0.031, 0.028, 0.03]), np.array([4e-4, 2e-4, 9e-4]))


@pytest.mark.parametrize("number", range(12))
def test_the_spread_is_statsmodels(number: int) -> None:
    generator = np.random.default_rng(number)
    effects, variances = generator.normal(0, 0.05, size=2 + number), generator.uniform(1e-5, 2e-3, size=2 + number)
    theirs = combine_effects(effects, variances, method_re="iterated", atol=1e-9)
    assert paule_mandel(effects, variances) == pytest.approx(theirs.tau2, rel=1e-6, abs=1e-12)


def test_collections_that_disagree_are_combined_as_statsmodels_does() -> None:
    effects, variances = DISAGREEING
    ours, theirs = (
        combine(effects, variances),
        combine_effects(effects, variances, method_re="iterated", use_t=True, atol=1e-9),
    )
    *_, interval = theirs.conf_int()
    assert ours.effect == pytest.approx(theirs.mean_effect_re, rel=1e-9)
    assert ours.standard_error == pytest.approx(theirs.sd_eff_w_re_hksj, rel=1e-7)
    assert ours.interval == pytest.approx(interval, rel=1e-7)
    assert ours.p == pytest.approx(2 * stats.t.sf(abs(ours.effect) / ours.standard_error, 4), rel=1e-9)
    assert (ours.q, ours.q_p) == pytest.approx((theirs.q, theirs.test_homogeneity().pvalue), rel=1e-9)
    assert ours.i2 == pytest.approx(theirs.i2, rel=1e-9)
    assert ours.weights == pytest.approx(theirs.weights_rel_re, rel=1e-7)
    # Higgins, Thompson and Spiegelhalter 2009, equation 12.
    half = stats.t.ppf(0.975, 3) * (theirs.tau2 + theirs.sd_eff_w_re_hksj**2) ** 0.5
    assert ours.prediction == pytest.approx((ours.effect - half, ours.effect + half), rel=1e-7)


def test_collections_that_agree_never_make_the_interval_narrower_than_their_variances_do() -> None:
    effects, variances = AGREEING
    found = combine(effects, variances)
    error = (1 / (1 / variances).sum()) ** 0.5
    assert (found.deviation, found.i2) == (0.0, 0.0)
    assert found.effect == pytest.approx(np.average(effects, weights=1 / variances))
    assert found.standard_error == pytest.approx(error)
    assert found.interval.high - found.effect == pytest.approx(stats.t.ppf(0.975, 2) * error)


def test_it_is_no_average_of_averages() -> None:
    effects, variances = np.array([0.3, 0.0]), np.array([1e-2, 1e-5])
    assert combine(effects, variances).effect < 0.14 < effects.mean()


def test_two_equal_collections_say_nothing_of_a_third_and_one_cannot_be_combined() -> None:
    found = combine(np.array([0.05, 0.05]), np.array([1e-4, 1e-4]))
    assert found.prediction is None
    assert found.weights == (0.5, 0.5)
    assert found.effect == pytest.approx(0.05)
    with pytest.raises(UserError, match="1 collections to combine"):
        combine(np.array([0.05]), np.array([1e-4]))
    with pytest.raises(UserError, match="without variance"):
        combine(np.array([0.05, 0.0]), np.array([1e-4, 0.0]))


def test_false_claims_are_as_rare_as_they_say() -> None:
    """No mean effect, collections that differ by more than their queries explain: what a fixed-effect test gets
    wrong."""
    generator = np.random.default_rng(0)
    variances = np.array([1e-4, 2e-4, 4e-4, 1e-4, 3e-4, 2e-4])
    claims = fixed = 0
    for _ in range(1_000):
        effects = generator.normal(0, np.sqrt(variances + 6e-4))
        claims += combine(effects, variances).p < 0.05
        weights = 1 / variances
        fixed += abs((weights * effects).sum() / np.sqrt(weights.sum())) > 1.96
    assert 0.03 <= claims / 1_000 <= 0.07
    assert fixed / 1_000 > 0.2
