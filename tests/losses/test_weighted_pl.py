"""Teacher-weighted Plackett-Luce against its formula in plain Python, where teacher scores are tied above all."""

from __future__ import annotations

import math

import pytest
import torch

from harness.losses.spec import LossSpec
from harness.stage import digest
from tests.losses.lists import loss_from, padded, plackett_luce, softmax, target

S = [[0.3, -1.2, 2.0, 0.7], [1.5, 0.1], [0.4, 0.2, -0.6]]
SIZES = [4, 2, 3]

TIED = (
    [[2.0, 1.0, 0.5, -3.0], [0.0, 4.0], [1.0, 3.0, 2.0]],
    [[1.0, 0.0, 0.0, 0.5], [2.0, 2.0], [0.0, 0.0, 1.0]],
)
"""Teacher scores without ties, and with some."""


def slow(row: list[float], teacher: list[float], temperature: float) -> float:
    loss = 0.0
    for score, grade, share in zip(row, teacher, softmax(teacher, temperature), strict=True):
        below = sum(math.exp(other) for other, theirs in zip(row, teacher, strict=True) if theirs <= grade)
        loss -= share * math.log(math.exp(score) / below)
    return loss


@pytest.mark.parametrize("teachers", TIED)
def test_it_is_its_formula(teachers: list[list[float]]) -> None:
    wanted = sum(slow(row, teacher, 0.3) for row, teacher in zip(S, teachers, strict=True)) / len(S)
    loss = loss_from({"name": "weighted-pl", "teacher_temperature": 0.3})
    found = loss(padded(S), target(SIZES, scores=padded(teachers, dtype=torch.float32)))
    assert found.item() == pytest.approx(wanted, rel=1e-6)


def test_without_ties_it_is_a_weighted_listmle() -> None:
    slow = 0.0
    for row, teacher in zip(S, TIED[0], strict=True):
        order = sorted(range(len(row)), key=lambda place: -teacher[place])
        ranked, shares = [row[place] for place in order], softmax(teacher)
        chances = [plackett_luce(ranked[place:], 1) for place in range(len(ranked))]
        slow -= sum(shares[place] * math.log(chance) for place, chance in zip(order, chances, strict=True)) / len(S)
    scores = padded(TIED[0], dtype=torch.float32)
    assert loss_from("weighted-pl")(padded(S), target(SIZES, scores=scores)).item() == pytest.approx(slow, rel=1e-6)


def test_the_order_of_a_tied_tail_says_nothing_toslow() -> None:
    grades = torch.tensor([[1.0, 0.5, 0.0, 0.0, 0.0]])
    loss = loss_from({"name": "weighted-pl", "teacher_temperature": 0.3}, 0.05)
    scores = torch.tensor([[0.3, 0.2, 0.1, 0.0, -0.1]], dtype=torch.float64)
    swapped = scores[:, [0, 1, 4, 3, 2]]
    wanted = target([5], [2], grades)
    assert loss(swapped, wanted).item() == pytest.approx(loss(scores, wanted).item(), rel=1e-12)
    even = torch.zeros(1, 5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(even, wanted), even)
    torch.testing.assert_close(gradient[0, 2:], gradient[0, 2].expand(3))


def test_its_key_is_not_that_of_the_formula_that_broke_ties_by_place() -> None:
    spec = LossSpec.of({"name": "weighted-pl", "teacher_temperature": 0.3})
    plain = {"name": "weighted-pl", "settings": {"teacher_temperature": 0.3, "temperature": None}}
    assert digest(spec) != digest(plain) and digest(spec) != digest(LossSpec.of("weighted-pl"))
    assert digest(spec) == digest(LossSpec.of({"name": "weighted-pl", "teacher_temperature": 0.3}))
    assert digest(LossSpec.of("listmle")) == digest({"name": "listmle", "settings": {"temperature": None}})
