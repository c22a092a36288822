"""Agreement, position bias and quality: against closed forms, hand-computed values, scipy and trec_eval."""

from __future__ import annotations

import random

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from harness.labelling.labels.agreement import agreement, kendall, orders, overlap, position_bias, quality, rbo, repeats
from harness.labelling.labels.ranking import Ranking


@given(st.permutations(range(12)), st.integers(2, 12))
def test_tau_is_scipys(order: list[int], size: int) -> None:
    names = [str(number) for number in order[:size]]
    other = sorted(names)
    expected = kendalltau([names.index(name) for name in other], range(size)).statistic
    assert kendall(names, other) == pytest.approx(expected, abs=1e-12) == kendall(other, names)


@given(
    st.permutations(range(8)), st.permutations(range(8)), st.integers(1, 8), st.integers(1, 8), st.floats(0.05, 0.99)
)
def test_rbo_is_equation_32(first: list[int], second: list[int], one: int, other: int, p: float) -> None:
    a, b = [str(number) for number in first[:one]], [str(number) for number in second[:other]]
    short, long = sorted((a, b), key=len)
    s, l = len(short), len(long)  # noqa: E741
    x = {depth: len(set(short[:depth]) & set(long[:depth])) for depth in range(1, l + 1)}
    sums = sum(x[d] / d * p**d for d in range(1, l + 1)) + sum(
        x[s] * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1)
    )
    assert rbo(a, b, p) == pytest.approx((1 - p) / p * sums + ((x[l] - x[s]) / l + x[s] / s) * p**l, abs=1e-12)
    assert rbo(a, b, p) == rbo(b, a, p)
    assert -1e-12 <= rbo(a, b, p) <= 1 + 1e-12


def test_rbo_by_hand() -> None:
    # X = 0, 2, 3 of depths 1 to 3: (0.1 / 0.9) (2/2 0.81 + 3/3 0.729) + 0.729 = 0.171 + 0.729
    assert rbo("bac", "abc") == pytest.approx(0.9)
    # X = 0, 1, 2: (0.5 / 0.5) (1/2 1/4 + 2/3 1/8) + 2/3 1/8 = 3/24 + 2/24 + 2/24
    assert rbo("bca", "abd", p=0.5) == pytest.approx(7 / 24)
    assert rbo("abc", "abc") == pytest.approx(1) and rbo("abc", "xyz") == 0 == rbo("", "abc")
    # The shorter is a prefix of the longer: what is missing is taken to agree.
    assert rbo("ab", "abcd") == pytest.approx(1)


def test_overlap_by_hand() -> None:
    assert (overlap("abcd", "bacd", 1), overlap("abcd", "badc", 3), overlap("ab", "ba", 10)) == (0, 2 / 3, 1)


def test_only_documents_that_both_place_are_compared() -> None:
    first = orders(
        [Ranking("1", ("a", "b", "c"), ("x",)), Ranking("2", ("a",), ("b",)), Ranking("3", (), ("a",), "failed")]
    )
    second = {"1": ("x", "c", "b", "a"), "2": ("b", "a"), "4": ("a", "b")}
    found = agreement(first, second)
    assert (found["queries"], found["tau"]) == (1, -1)
    # Three documents are shared: of top 3 and more there is nothing to tell.
    assert found["top"] == {"1": 0, "3": None, "10": None}
    assert agreement(first, {}) == {"queries": 0, "tau": None, "rbo": None, "top": {"1": None, "3": None, "10": None}}


def test_repeats_compare_every_two_draws() -> None:
    same, turned = ("a", "b", "c"), ("c", "b", "a")
    found = repeats([{"1": same, "2": same}, {"1": turned}, {"1": same, "3": same}])
    assert (found["queries"], found["tau"]) == (3, pytest.approx(-1 / 3))


def test_a_teacher_that_follows_the_prompt_is_biased_and_one_that_does_not_is_not() -> None:
    generator = random.Random(0)
    first = {str(number): tuple("abcd") for number in range(2000)}
    shuffled = {query: tuple(generator.sample("abcd", 4)) for query in first}
    copied = position_bias([Ranking(query, shown, presented=shown) for query, shown in shuffled.items()], first)
    assert [row["shift"] for row in copied["positions"]] == [0, 0, 0, 0] and copied["tau"] == 1
    assert (
        copied["queries"] == 2000
        and copied["reordered"] == sum(shown != tuple("abcd") for shown in shuffled.values()) > 1800
    )
    fixed = position_bias([Ranking(query, tuple("abcd"), presented=shown) for query, shown in shuffled.items()], first)
    assert [row["documents"] for row in fixed["positions"]] == [2000] * 4
    assert np.allclose([row["rank"] for row in fixed["positions"]], 2.5, atol=0.1) and abs(fixed["tau"]) < 0.05


def test_unknown_places_are_the_first_stages_and_the_tail_is_tied() -> None:
    rankings = [Ranking("1", ("b",), ("a", "c")), Ranking("2", (), ("a",), "failed")]
    found = position_bias(rankings, {"1": ("a", "b", "c"), "2": ("a",)})
    assert [(row["position"], row["documents"], row["rank"], row["shift"]) for row in found["positions"]] == [
        (1, 1, 2.5, 1.5),
        (2, 1, 1, -1),
        (3, 1, 2.5, -0.5),
    ]
    assert (found["queries"], found["reordered"], found["tau"]) == (1, 0, None)


def test_quality_is_trec_evals_on_queries_with_an_order_and_a_relevant_candidate() -> None:
    first = dict.fromkeys("1234", ("a", "b", "c"))
    gold = {"1": {"c": 2, "a": 1, "lost": 3}, "2": {"lost": 1}, "3": {"a": 1}}
    every = tuple("abc")
    rankings = [
        Ranking("1", ("c",), ("b", "a")),
        Ranking("2", every),
        Ranking("3", (), every, "failed"),
        Ranking("4", every),
    ]
    found = quality(rankings, first, gold)
    judge = pytrec_eval.RelevanceEvaluator({"1": gold["1"]}, {"ndcg_cut_10"})
    runs: list[dict[str, float]] = [{"c": 3, "a": 2, "b": 1}, {"a": 3, "b": 2, "c": 1}]
    teacher, given_ = (judge.evaluate({"1": run})["1"]["ndcg_cut_10"] for run in runs)
    assert found == {"queries": 1, "nDCG@10": pytest.approx(teacher), "first_stage": pytest.approx(given_)}
    assert quality(rankings, first, {}) is None
