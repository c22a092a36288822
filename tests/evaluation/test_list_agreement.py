"""Agreement of scores with a target, against scipy and pytrec_eval, and chance against all orders there are."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
import pytrec_eval
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from harness.evaluation.list_agreement import ListScores, chance_ndcg, gains_of, list_agreement, tau_b

few = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.5])
"""Values that are often tied."""
pairs = st.integers(2, 14).flatmap(
    lambda size: st.tuples(*(st.lists(few | st.floats(-5, 5), min_size=size, max_size=size) for _ in range(2)))
)


@given(pairs)
def test_tau_is_scipys_tau_b(pair: tuple[list[float], list[float]]) -> None:
    theirs = float(kendalltau(*pair, variant="b").statistic)
    ours = tau_b(*pair)
    assert (ours is None) == math.isnan(theirs)
    if ours is not None:
        assert ours == pytest.approx(theirs, abs=1e-12)
        assert -1 <= ours <= 1


@given(st.lists(pairs, min_size=1, max_size=5))
def test_ndcg_is_pytrec_evals_with_the_targets_order_as_gains(lists: list[tuple[list[float], list[float]]]) -> None:
    told = [(target, scores) for target, scores in lists if len(set(target)) > 1]
    assume(told)
    qrels = {
        f"q{number}": {f"d{place}": sum(other < value for other in target) for place, value in enumerate(target)}
        for number, (target, _) in enumerate(told)
    }
    run = {
        f"q{number}": {f"d{place}": score for place, score in enumerate(scores)}
        for number, (_, scores) in enumerate(told)
    }
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    found = list_agreement([ListScores([f"d{n}" for n in range(len(one[0]))], *one) for one in lists])
    assert found is not None and found.lists == len(told)
    assert found.ndcg == pytest.approx(sum(one["ndcg_cut_10"] for one in theirs.values()) / len(told), abs=1e-9)


def test_an_unordered_tail_gains_nothing_and_an_order_counts_what_is_below() -> None:
    assert gains_of([3.0, 2.0, 1.0, 0.0]) == [3, 2, 1, 0]
    assert gains_of([9.0, 0.0, 0.0, 0.0]) == [3, 0, 0, 0]
    assert gains_of([1.0, 1.0]) == [0, 0]


@given(st.lists(st.integers(0, 4), min_size=2, max_size=6))
def test_chance_is_the_mean_over_all_orders(gains: list[int]) -> None:
    assume(max(gains) > 0)
    discounts = [1 / math.log2(place + 2) for place in range(len(gains))]
    ideal = sum(gain * discount for gain, discount in zip(sorted(gains, reverse=True), discounts, strict=True))
    orders = list(permutations(gains))
    every = sum(sum(map(math.prod, zip(order, discounts, strict=True))) for order in orders) / len(orders)
    assert chance_ndcg(gains) == pytest.approx(every / ideal, abs=1e-12)


def test_lists_that_tell_nothing_apart_do_not_count() -> None:
    flat = ListScores(["a", "b"], [1.0, 1.0], [0.2, 0.1])
    same, reverse = ListScores(["a", "b"], [1.0, 0.0], [0.2, 0.1]), ListScores(["a", "b"], [1.0, 0.0], [0.1, 0.2])
    undecided = ListScores(["a", "b"], [1.0, 0.0], [0.5, 0.5])
    assert list_agreement([flat]) is None
    assert list_agreement([flat, same]) == (1, 1.0, pytest.approx((1 + 1 / math.log2(3)) / 2), 1.0)
    assert list_agreement([same, reverse]) is not None and list_agreement([same, reverse]).tau == 0  # type: ignore[union-attr]
    assert list_agreement([undecided]).tau is None  # type: ignore[union-attr]
