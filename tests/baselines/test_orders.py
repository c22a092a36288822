"""What methods make of an order alone, against closed forms and torch's own losses."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax

from baselines._shared.grades import GradeSettings
from baselines.black_box.listwise_distillation import ListwiseSettings
from baselines.black_box.rank_kl import RankKLSettings
from baselines.black_box.teacher_weighted import TeacherWeightedSettings
from harness.losses.loss import Target
from harness.losses.spec import LossSpec
from harness.training_lists.order_lists import grade_list, preference_pairs
from harness.training_lists.training_list import TrainingList, read_lists
from tests.baselines.small import DEPTH, Swept

LIST = TrainingList("q", "text", ("a", "b", "c", "d", "e"), 3, (9.0, 8.0, 7.0, 6.0, 5.0))


def test_grades_of_ranks() -> None:
    assert grade_list(LIST, "reciprocal").scores == pytest.approx((1, 1 / 2, 1 / 3, 0, 0))
    assert grade_list(LIST, "discounted").scores == pytest.approx((1, 1 / math.log2(3), 1 / 2, 0, 0))
    assert grade_list(LIST, "linear").scores == pytest.approx((1, 0.8, 0.6, 0, 0))


def test_preferences_are_the_pairs_that_the_order_decides() -> None:
    assert preference_pairs(LIST, set("abcde")) == [(i, j) for i, j in combinations("abcde", 2) if i in "abc"]
    assert preference_pairs(LIST, set("bde")) == [("b", "d"), ("b", "e")]
    assert preference_pairs(LIST, set("de")) == []


def test_partial_plackett_luce_is_two_cross_entropies() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.randn(3, 2 + 6, generator=generator, dtype=torch.float64).requires_grad_()
    others = torch.ones(3, 6, dtype=torch.bool)
    for row in range(3):
        others[row, 2 * row : 2 * row + 2] = False
    target = Target(torch.ones(3, 2, dtype=torch.bool), torch.full((3,), 2), in_batch_negatives=others)
    found = LossSpec.of({"name": "partial-pl", "in_batch": True, "temperature": 0.05}).loss()(scores, target)
    expected = torch.zeros((), dtype=torch.float64)
    for row in range(3):
        known = scores.detach()[row] * 20
        rest = known[2:][others[row]]
        for pool in (torch.cat([known[:2], rest]), torch.cat([known[1:2], rest])):
            expected += torch.nn.functional.cross_entropy(pool[None], torch.tensor([0])) / 3
    torch.testing.assert_close(found.detach(), expected)
    assert torch.autograd.gradcheck(
        lambda given: LossSpec.of({"name": "partial-pl", "in_batch": True}).loss()(given, target),
        scores.detach().requires_grad_(),
    )


SCORES = [[0.3, -0.2, 0.5, 0.1, 0.0], [0.1, 0.4, -0.3, 0.2, 0.15]]
"""Cosines of the student: two lists of one order."""
SHARES = softmax(np.array([1, 1 / 2, 1 / 3, 0, 0]) / 0.3)
"""What both methods want of a list with three placed."""


def batch(others: list[list[bool]] | None = None) -> Target:
    """Two lists like LIST, graded."""
    grades = torch.tensor([grade_list(LIST, "reciprocal").scores] * 2)
    wide = torch.tensor(others) if others else None
    return Target(torch.ones(2, 5, dtype=torch.bool), torch.tensor([3, 3]), grades, in_batch_negatives=wide)


def divergence(scores: list[float], temperature: float) -> float:
    student = np.array(scores) / temperature
    return float(np.sum(SHARES * (np.log(SHARES) - (student - logsumexp(student)))))


def test_rank_kl_target_and_loss() -> None:
    loss = LossSpec.of(RankKLSettings().retriever_loss).loss(0.05)
    found = loss(torch.tensor(SCORES, dtype=torch.float64), batch())
    assert found.item() == pytest.approx(np.mean([divergence(row, 0.05) for row in SCORES]), abs=1e-4)


def test_listwise_distillation_is_kl_and_a_tenth_of_infonce_on_the_first() -> None:
    loss = LossSpec.of(ListwiseSettings().retriever_loss).loss(0.5)
    assert loss.in_batch
    # Behind each list the ten documents of both; one of the other's is known to answer the first query.
    others = [[False] * 5 + [True] * 4 + [False], [True] * 5 + [False] * 5]
    wide = [row + [0.01 * place - 0.2 * number for place in range(10)] for number, row in enumerate(SCORES)]
    expected = 0.0
    for row, told, own in zip(wide, others, SCORES, strict=True):
        negatives = [score for score, counts in zip(row[5:], told, strict=True) if counts]
        contrast = -math.log(math.exp(own[0] / 0.01) / sum(math.exp(score / 0.01) for score in own + negatives))
        expected += (divergence(own, 0.05) + 0.1 * contrast) / 2
    found = loss(torch.tensor(wide, dtype=torch.float64), batch(others))
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("settings", [RankKLSettings(), TeacherWeightedSettings()])
def test_methods_on_grades_learn_nothing_from_the_order_of_an_unplaced_tail(settings: GradeSettings) -> None:
    loss = LossSpec.of(settings.retriever_loss).loss(0.05)
    scores = torch.tensor(SCORES, dtype=torch.float64)
    torch.testing.assert_close(loss(scores[:, [0, 1, 2, 4, 3]], batch()), loss(scores, batch()))


@pytest.mark.models
def test_lists_of_the_black_box_rivals(all_methods: Swept) -> None:
    ordered = {one.query: one for one in read_lists(all_methods.made("rank-kl", "ranked-lists"))}
    for label in ("rank-kl", "teacher-weighted-pl", "listwise-distillation"):
        for one in read_lists(all_methods.made(label, "graded-lists")):
            assert one.documents == ordered[one.query].documents
            assert one.scores == pytest.approx([1 / rank for rank in range(1, len(one.documents) + 1)])


@pytest.mark.models
def test_pairs_follow_the_teacher_and_stay_among_the_first_candidates(all_methods: Swept) -> None:
    ordered = {one.query: one.documents for one in read_lists(all_methods.made("syntriever", "ranked-lists"))}
    from harness.retrieval.run import Run

    candidates = Run.read(all_methods.store.read(all_methods.cell("syntriever").inputs.candidates))
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
    assert all(
        stage.kind != "lexical-search" for stage in all_methods.stage("random-training", "random-lists").inputs()
    )
