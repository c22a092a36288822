"""Tukey's HSD and maxT: equal to full enumeration and to each other where they must be; families' errors stay within
bounds."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.joint_tests import max_t, tukey
from harness.evaluation.significance.randomisation import randomisation

PAIRS = [(0, 1), (0, 2), (1, 2)]
TABLE = np.array([[0.1, 0.5, 0.9], [0.2, 0.2, 0.6], [0.4, 0.3, 0.7], [0.0, 0.8, 0.5]])


def enumerated_tukey(values: Array) -> list[float]:
    """All (3!)^n shuffles within queries."""
    ranges = []
    for shuffles in product(permutations(range(values.shape[1])), repeat=len(values)):
        sums = sum(row[list(order)] for row, order in zip(values, shuffles, strict=True))
        ranges.append(np.ptp(sums))
    totals = values.sum(axis=0)
    return [float(np.mean(np.array(ranges) >= abs(totals[b] - totals[a]) - 1e-9)) for a, b in PAIRS]


def test_tukey_is_the_enumeration_of_all_shuffles() -> None:
    assert tukey(TABLE, PAIRS, seed=1, flips=40_000) == pytest.approx(enumerated_tukey(TABLE), abs=0.01)


def test_tukey_of_many_queries_is_that_of_the_two_way_analysis_of_variance() -> None:
    """With normal scores and many queries the studentised range of the residuals gives the same p."""
    generator = np.random.default_rng(3)
    values = generator.normal(0, 0.3, (400, 1)) + generator.normal(0, 0.1, (400, 4)) + np.array([0, 0.006, 0.012, 0.02])
    residuals = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    error = np.sqrt((residuals**2).sum() / (399 * 3) / 400)
    pairs = [(a, b) for b in range(4) for a in range(b)]
    expected = [
        stats.studentized_range.sf(abs(values[:, b].mean() - values[:, a].mean()) / error, 4, 399 * 3) for a, b in pairs
    ]
    assert tukey(values, pairs, seed=0) == pytest.approx(expected, abs=0.03)


def test_two_runs_need_no_family() -> None:
    """Shuffling two values is flipping the sign of their difference."""
    values = np.random.default_rng(5).random((40, 2))
    alone = randomisation(values[:, 1:] - values[:, :1], seed=0)[0]
    assert tukey(values, [(0, 1)], seed=0)[0] == pytest.approx(alone, abs=0.02)
    assert max_t(values[:, 1:] - values[:, :1], seed=0)[0] == alone


def test_shift_and_scale_of_a_query_change_nothing_for_tukey() -> None:
    values = np.random.default_rng(6).random((30, 4))
    shifted = values + np.linspace(-3, 4, 30)[:, None]
    assert (
        tukey(shifted, PAIRS, seed=2).tolist()
        == tukey(8 * values, PAIRS, seed=2).tolist()
        == tukey(values, PAIRS, seed=2).tolist()
    )
    assert tukey(np.zeros((5, 3)), PAIRS, seed=0).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("side", Alternative)
def test_max_t_is_the_enumeration_of_all_flips(side: Alternative) -> None:
    """Step-down by its definition: largest statistics over the comparisons that are not yet rejected."""
    differences = TABLE[:, [1, 2, 2]] - TABLE[:, [0, 0, 1]]
    scale = np.sqrt((differences**2).sum(axis=0))
    signs = np.array(list(product((1, -1), repeat=4)))
    drawn, observed = side.distance(signs @ differences / scale), side.distance(differences.sum(axis=0) / scale)
    order = np.argsort(-observed)
    steps = [np.mean(drawn[:, order[place:]].max(axis=1) >= observed[order[place]] - 1e-9) for place in range(3)]
    expected = np.empty(3)
    expected[order] = np.maximum.accumulate(steps)
    assert max_t(differences, seed=0, side=side, flips=40_000) == pytest.approx(expected, abs=0.01)


def test_max_t_is_never_below_the_single_p_and_at_most_bonferroni() -> None:
    differences = np.random.default_rng(8).normal(0.03, 0.1, (50, 6))
    single, adjusted = randomisation(differences, seed=0), max_t(differences, seed=0)
    assert np.all(adjusted >= single - 1e-12)
    assert np.all(adjusted <= np.minimum(1, 6 * single) + 1e-3)
    copies = max_t(np.repeat(differences[:, :1], 6, axis=1), seed=0)
    assert copies == pytest.approx(np.repeat(single[:1], 6)), "comparisons that are the same cost nothing"


def test_comparisons_without_any_difference_are_p_one() -> None:
    assert max_t(np.zeros((20, 2)), seed=0).tolist() == [1.0, 1.0]
