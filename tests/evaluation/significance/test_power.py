"""Power, queries needed and equivalence: those of statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from harness.errors import UserError
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.method_difference import difference_of, fixed_run
from harness.evaluation.significance.power import detectable, power, queries_needed
from harness.evaluation.significance.test_spec import TestSpec

WORDS = {Alternative.both: "two-sided", Alternative.greater: "larger", Alternative.less: "smaller"}
DIFFERENCES = np.random.default_rng(0).normal([0.0, 0.02, 0.2], 0.1, (60, 3))


@settings(max_examples=60, deadline=None)
@given(st.floats(-1.5, 1.5), st.integers(3, 400), st.sampled_from([0.01, 0.05]), st.sampled_from(Alternative))
def test_power_is_that_of_statsmodels(effect: float, queries: int, alpha: float, side: Alternative) -> None:
    expected = float(TTestPower().power(effect, queries, alpha, alternative=WORDS[side]))
    assume(not np.isnan(expected))  # scipy's far tails, which statsmodels adds up, are not a number in places
    assert power(effect, queries, alpha, side) == pytest.approx(expected, abs=1e-6)


def test_power_is_a_number_everywhere() -> None:
    found = [power(effect, 300) for effect in np.linspace(0, 3, 200)]
    assert found[0] == pytest.approx(0.05)
    assert found == sorted(found)
    assert found[-1] == 1.0


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 3), st.sampled_from([0.5, 0.8, 0.95]), st.sampled_from([Alternative.both, Alternative.greater]))
def test_queries_needed_are_the_least_that_do(effect: float, wanted: float, side: Alternative) -> None:
    n = queries_needed(effect, wanted, side=side)
    assert n is not None
    assert power(effect, n, side=side) >= wanted
    assert n == 2 or power(effect, n - 1, side=side) < wanted
    assert queries_needed(-effect, wanted, side=Alternative.less if side is Alternative.greater else side) == n


@pytest.mark.parametrize("side", [Alternative.both, Alternative.greater])
@pytest.mark.parametrize("queries", [5, 43, 300])
def test_the_detectable_effect_is_that_of_statsmodels(queries: int, side: Alternative) -> None:
    expected = TTestPower().solve_power(nobs=queries, alpha=0.05, power=0.8, alternative=WORDS[side])
    assert detectable(queries, side=side) == pytest.approx(float(expected), rel=1e-5)
    assert queries_needed(float(expected) * 1.0001, side=side) == queries


def test_what_no_number_of_queries_shows() -> None:
    assert queries_needed(0.0) is None
    assert queries_needed(-0.5, side=Alternative.greater) is None
    assert queries_needed(1e-6) is None
    assert detectable(1) is None


def equivalence(column: np.ndarray, margin: float, reach: float = 1.0) -> float:
    return difference_of(fixed_run(column, reach), fixed_run(np.zeros(len(column)), reach)).p_within(margin)


@pytest.mark.parametrize("margin", [0.01, 0.05, 0.3])
def test_equivalence_is_that_of_statsmodels(margin: float) -> None:
    for column in DIFFERENCES.T:
        assert equivalence(column, margin) == pytest.approx(
            DescrStatsW(column).ttost_mean(-margin, margin)[0], rel=1e-9
        )


def test_equivalence_without_variance_or_queries() -> None:
    # Five queries: as rare as none of five differing, or all of five having one sign.
    known = [equivalence(np.full(5, value), 0.05) for value in (0.0, 0.01, 0.2)]
    assert known == [pytest.approx(0.95**5), 1.0, 1.0]
    assert [equivalence(np.full(200, value), 0.05) for value in (0.0, 0.01)] == pytest.approx([0.95**200, 0.5**200])
    assert equivalence(np.zeros(1), 0.1) == 1.0


def test_a_metric_without_an_upper_bound_excludes_nothing_by_identical_queries() -> None:
    """Were one query in a thousand different by 100, a mean difference of 0.1 would hide behind 200 that are alike."""
    assert equivalence(np.zeros(200), 0.05, reach=100) == pytest.approx((1 - 0.05 / 100) ** 200)
    assert equivalence(np.zeros(200), 0.05, reach=np.inf) == 1.0


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize("kind", ["margin", "noninferior", "superior"])
def test_a_margin_is_above_0(kind: str, margin: float) -> None:
    with pytest.raises(UserError, match="margin is"):
        TestSpec(**{kind: margin})
