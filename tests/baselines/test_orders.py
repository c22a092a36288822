"""What methods make of an order alone, against closed forms and torch's own losses."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax

from harness.losses.base import Target
from harness.losses.spec import LossSpec
from harness.students.lists import TrainingList, read_lists
from harness.students.order_lists import graded, preferences
from tests.baselines.small import DEPTH, Swept

LIST = TrainingList("q", "text", ("a", "b", "c", "d", "e"), 3, (9.0, 8.0, 7.0, 6.0, 5.0))


def test_grades_of_ranks() -> None:
    assert graded(LIST, "reciprocal").scores == pytest.approx((1, 1 / 2, 1 / 3, 0, 0))
    assert graded(LIST, "discounted").scores == pytest.approx((1, 1 / math.log2(3), 1 / 2, 0, 0))
    assert graded(LIST, "linear").scores == pytest.approx((1, 0.8, 0.6, 0, 0))


def test_preferences_are_the_pairs_that_the_order_decides() -> None:
    assert preferences(LIST, set("abcde")) == [(i, j) for i, j in combinations("abcde", 2) if i in "abc"]
    assert preferences(LIST, set("bde")) == [("b", "d"), ("b", "e")]
    assert preferences(LIST, set("de")) == []


def test_partial_plackett_luce_is_two_cross_entropies() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.randn(3, 2 + 6, generator=generator, dtype=torch.float64).requires_grad_()
    others = torch.ones(3, 6, dtype=torch.bool)
    for row in range(3):
        others[row, 2 * row : 2 * row + 2] = False
    target = Target(torch.ones(3, 2, dtype=torch.bool), torch.full((3,), 2), others=others)
    found = LossSpec.of({"name": "partial-pl", "in_batch": True, "temperature": 0.05}).loss()(scores, target)
    expected = torch.zeros((), dtype=torch.float64)
    for row in range(3):
        known = scores.detach()[row] * 20
        rest = known[2:][others[row]]
        for pool in (torch.cat([known[:2], rest]), torch.cat([known[1:2], rest])):
            expected += torch.nn.functional.cross_entropy(pool[None], torch.tensor([0])) / 3
    torch.testing.assert_close(found.detach(), expected)
    assert torch.autograd.gradcheck(
        lambda given: LossSpec.of({"name": "partial-pl", "in_batch": True}).loss()(given, target), scores.detach().requires_grad_()
    )


def test_rank_kl_target_and_loss() -> None:
    one = graded(LIST, "reciprocal")
    assert one.scores is not None
    grades = np.array([1, 1 / 2, 1 / 3, 0, 0]) / 0.3
    shares = softmax(grades)
    scores = torch.tensor([[0.3, -0.2, 0.5, 0.1, 0.0]], dtype=torch.float64)
    target = Target(torch.ones(1, 5, dtype=torch.bool), torch.tensor([3]), torch.tensor([one.scores]))
    student = scores[0].numpy() / 0.05
    expected = float(np.sum(shares * (np.log(shares) - (student - logsumexp(student)))))
    found = LossSpec.of({"name": "kl", "teacher_temperature": 0.3}).loss(0.05)(scores, target)
    assert found.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.models
def test_lists_of_the_black_box_rivals(all_methods: Swept) -> None:
    ordered = {one.query: one for one in read_lists(all_methods.made("rank-kl", "ranked-lists"))}
    for label in ("rank-kl", "teacher-weighted-pl"):
        for one in read_lists(all_methods.made(label, "graded-lists")):
            assert one.documents == ordered[one.query].documents
            assert one.scores == pytest.approx([1 / rank for rank in range(1, len(one.documents) + 1)])


@pytest.mark.models
def test_pairs_follow_the_teacher_and_stay_among_the_first_candidates(all_methods: Swept) -> None:
    ordered = {one.query: one.documents for one in read_lists(all_methods.made("syntriever", "ranked-lists"))}
    from harness.retrieval.run import Run

    candidates = Run.read(all_methods.store.read(all_methods.cell("syntriever").kit.candidates))
    pairs = read_lists(all_methods.made("syntriever", "pair-lists"))
    assert len({(one.query, one.documents) for one in pairs}) == len(pairs) > len(ordered)
    for one in pairs:
        assert one.ordered == len(one.documents) == 2
        first, second = one.documents
        assert ordered[one.query].index(first) < ordered[one.query].index(second)
        assert {first, second} <= set(candidates.top(one.query, 3))


@pytest.mark.models
def test_random_lists_are_random_and_see_no_candidate_list(all_methods: Swept) -> None:
    lists = read_lists(all_methods.made("random-training", "random-lists"))
    assert len(lists) == 8
    assert all(len(set(one.documents)) == one.ordered == DEPTH for one in lists)
    assert len({one.documents for one in lists}) == 8
    assert all(stage.kind != "lexical-search" for stage in all_methods.stage("random-training", "random-lists").inputs())
