"""Tests, corrections, effect sizes and intervals: equal to independent computations, calibrated, reproducible."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from harness.errors import UserError
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.bootstrap import mean_intervals
from harness.evaluation.significance.corrections import CORRECTIONS, correct
from harness.evaluation.significance.paired_tests import TESTS, outcomes, t_intervals
from harness.evaluation.significance.randomisation import randomisation

GENERATOR = np.random.default_rng(7)
REAL = np.round(GENERATOR.beta(0.4, 0.6, size=(60, 4)), 3)
DIFFERENCES = REAL[:, 1:] - REAL[:, :1]


def enumerated(values: list[Fraction], side: Alternative = Alternative.both) -> float:
    observed = side.distance(sum(values))
    sums = [
        side.distance(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in product((1, -1), repeat=len(values))
    ]
    return sum(total >= observed for total in sums) / len(sums)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=8), st.sampled_from(Alternative))
def test_randomisation_is_exact_on_few_queries(tenths: list[int], side: Alternative) -> None:
    """Ties that hold in exact arithmetic (0.1 + 0.2 = 0.3) hold in the count, zeros change nothing."""
    column = np.array(tenths)[:, None] * 0.1
    assert randomisation(column, seed=0, side=side)[0] == enumerated([Fraction(value, 10) for value in tenths], side)


@pytest.mark.parametrize("side", Alternative)
def test_randomisation_is_exact_on_sixteen_queries_and_sampled_beyond(
    side: Alternative, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = DIFFERENCES[:16, :1]
    patterns = np.array(list(product((1, -1), repeat=16)), dtype=np.int8)
    exact = np.mean(side.distance(patterns @ column[:, 0]) >= side.distance(column.sum()) - 1e-12)
    assert randomisation(column, seed=3, side=side)[0] == exact
    monkeypatch.setattr("harness.evaluation.significance.randomisation.ALL_UP_TO", 0)
    assert randomisation(column, seed=3, flips=100_000, side=side)[0] == pytest.approx(exact, abs=0.005)


def test_looking_sums_up_is_a_matrix_product(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = randomisation(DIFFERENCES, seed=1)
    monkeypatch.setattr("harness.evaluation.significance.randomisation._BY_TABLE", 0)
    assert randomisation(DIFFERENCES, seed=1).tolist() == looked_up.tolist()


def test_randomisation_is_reproducible_never_zero_and_blind_to_its_neighbours() -> None:
    shifted = np.c_[DIFFERENCES, np.full(60, 0.5)]
    together = randomisation(shifted, seed=5)
    assert together.tolist() == [float(randomisation(shifted[:, [column]], seed=5)[0]) for column in range(4)]
    assert together[3] == 1 / 10_001
    assert randomisation(-shifted, seed=5).tolist() == together.tolist()
    assert randomisation(DIFFERENCES, seed=6).tolist() != together[:3].tolist()


@pytest.mark.slow
def test_p_is_the_same_to_the_last_digit_on_one_thread_and_on_many() -> None:
    code = (
        "import numpy as np; from harness.evaluation.significance.paired_tests import outcomes;"
        "d = np.random.default_rng(1).normal(0.01, 0.1, (120, 12));"
        "from harness.evaluation.significance.joint_tests import max_t, tukey;"
        "print([(o.p, o.interval) for t in ('randomisation', 'bootstrap', 'bootstrap-t') for o in outcomes(d, t, 4)]);"
        "print(tukey(d[:, :5], [(0, 1), (2, 4)], 4).tolist(), max_t(d[:, :6], 4).tolist(), outcomes(d, 't', 4, "
        "interval='bca')[:4])"
    )
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    said = [subprocess.check_output([sys.executable, "-c", code], env=dict.fromkeys(names, n)) for n in ("1", "4")]
    assert said[0] == said[1]


def test_t_and_wilcoxon_are_scipys() -> None:
    for column, t, w in zip(DIFFERENCES.T, outcomes(DIFFERENCES, "t"), outcomes(DIFFERENCES, "wilcoxon"), strict=True):
        found = stats.ttest_1samp(column, 0)
        assert t.p == pytest.approx(found.pvalue, rel=1e-9)
        assert t.interval == pytest.approx(tuple(found.confidence_interval(0.95)), rel=1e-9)
        assert w.p == pytest.approx(stats.wilcoxon(np.round(column, 12)).pvalue, rel=1e-9)


@pytest.mark.parametrize("side", [Alternative.greater, Alternative.less])
def test_one_sided_t_and_wilcoxon_are_scipys(side: Alternative) -> None:
    for column, t, w in zip(
        DIFFERENCES.T, outcomes(DIFFERENCES, "t", side=side), outcomes(DIFFERENCES, "wilcoxon", side=side), strict=True
    ):
        assert t.p == pytest.approx(stats.ttest_1samp(column, 0, alternative=side.value).pvalue, rel=1e-9)
        assert w.p == pytest.approx(stats.wilcoxon(np.round(column, 12), alternative=side.value).pvalue, rel=1e-9)


@pytest.mark.parametrize("test", ["randomisation", "bootstrap", "bootstrap-t", "t", "wilcoxon"])
def test_one_sided_p_are_mirrored_and_make_up_the_two_sided_one(test: str) -> None:
    both, greater, less = (
        np.array([found.p for found in outcomes(DIFFERENCES, test, side=side)]) for side in Alternative
    )
    mirrored = np.array([found.p for found in outcomes(-DIFFERENCES, test, side=Alternative.less)])
    assert greater == pytest.approx(mirrored, abs=0.02)
    assert 2 * np.minimum(greater, less) == pytest.approx(both, abs=0.02)
    assert np.all(greater + less >= 1 - 0.02)


def test_bootstrap_interval_agrees_with_scipys_percentile_bootstrap() -> None:
    ours = mean_intervals(DIFFERENCES, seed=0, samples=20_000)
    for interval, column in zip(ours, DIFFERENCES.T, strict=True):
        theirs = stats.bootstrap(
            (column,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
        )
        assert interval == pytest.approx(tuple(theirs.confidence_interval), abs=0.004)


@pytest.mark.parametrize("test", TESTS)
def test_tests_are_calibrated_under_the_null(test: str) -> None:
    """Signs of real differences flipped at random: false positives at 0.05 stay near 0.05 (400 columns, so +-
    0.025)."""
    generator = np.random.default_rng(11)
    null = generator.choice([-1.0, 1.0], size=(60, 400)) * DIFFERENCES[:, :1]
    rate = np.mean([outcome.p < 0.05 for outcome in outcomes(null, test, seed=1)])
    assert 0.02 <= rate <= 0.08


@pytest.mark.parametrize("test", TESTS)
def test_no_p_is_zero_and_no_difference_is_p_one(test: str) -> None:
    sure, none = outcomes(np.c_[np.full(40, 0.25), np.zeros(40)], test)
    assert 0 < sure.p < 0.001
    assert (sure.wins, sure.ties, sure.losses, sure.effect_size) == (40, 0, 0, None)
    assert (none.p, none.difference, none.effect_size, none.ties) == (1.0, 0.0, 0.0, 40)


@pytest.mark.parametrize("test", TESTS)
def test_a_real_difference_is_found_and_its_direction_kept(test: str) -> None:
    better = GENERATOR.normal(0.1, 0.1, size=(50, 1))
    up, down = outcomes(np.c_[better, -better], test)
    assert up.p == pytest.approx(down.p, abs=1e-3)
    assert up.p < 0.001
    assert up.difference == pytest.approx(better.mean(), abs=1e-9) == -down.difference
    assert up.interval is not None
    assert up.interval.low < up.difference < up.interval.high
    assert up.effect_size == pytest.approx(better.mean() / better.std(ddof=1), abs=1e-9)
    assert (up.wins, up.losses) == (down.losses, down.wins)


def test_rounding_noise_is_a_tie() -> None:
    noise = np.array([[0.1 + 0.2 - 0.3], [1e-16], [-1e-15], [0.0]])
    assert outcomes(noise)[0] == (0.0, None, 0.0, 1.0, 0, 4, 0)


def test_one_query_proves_nothing_and_no_query_is_an_error() -> None:
    assert outcomes(np.array([[0.5]]))[0] == (0.5, None, None, 1.0, 1, 0, 0)
    with pytest.raises(UserError, match="no judged query"):
        outcomes(np.empty((0, 1)))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=20),
    st.sampled_from(
        [
            ("holm", "holm"),
            ("bh", "fdr_bh"),
            ("bonferroni", "bonferroni"),
            ("hochberg", "simes-hochberg"),
            ("by", "fdr_by"),
        ]
    ),
)
def test_corrections_are_statsmodels(p: list[float], names: tuple[str, str]) -> None:
    theirs = multipletests(p, method=names[1])[1]
    assert correct(np.array(p), names[0]) == pytest.approx(theirs, abs=1e-12)


def test_no_correction_and_unknown_names() -> None:
    assert correct(np.array([0.2, 0.1]), "none").tolist() == [0.2, 0.1]
    assert set(CORRECTIONS) == {"holm", "hochberg", "bh", "by", "bonferroni", "none"}
    with pytest.raises(UserError, match=r"unknown correction 'holmes'.*\n.*'holm'"):
        correct(np.array([0.2]), "holmes")
    with pytest.raises(UserError, match=r"unknown test 'randomization'.*\n.*'randomisation'"):
        outcomes(DIFFERENCES, "randomization")
    with pytest.raises(UserError, match=r"unknown interval 'bcas'.*\n.*'bca'"):
        outcomes(DIFFERENCES, interval="bcas")


def test_t_interval_covers_the_mean_as_often_as_it_says() -> None:
    samples = np.random.default_rng(2).normal(0.3, 0.2, size=(40, 1000))
    covered = np.mean([low <= 0.3 <= high for low, high in t_intervals(samples)])
    assert 0.93 <= covered <= 0.97
