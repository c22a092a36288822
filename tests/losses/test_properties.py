"""What every loss must hold to: gradients, invariances, padding, extreme numbers, and a minimum where the target is
met."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from harness.losses.loss import Loss, Target
from harness.plugins import plugins
from tests.losses.lists import loss_from as loss_of
from tests.losses.lists import padded, target

ALL = sorted(plugins(Loss))
NAMES = [name for name in ALL if "embeddings" not in plugins(Loss)[name].needs]
"""Those of scores; what holds for embeddings is in tests/training/test_embed_distill.py."""
ORDER = [name for name in NAMES if plugins(Loss)[name].needs == ("order",)]
SCORES = [name for name in NAMES if plugins(Loss)[name].needs == ("scores",)]
DIVERGING = [name for name in SCORES if plugins(Loss)[name].shifts and name not in ("weighted-pl", "emdr2")]
"""Zero where the target is met up to a shift."""
SUM = {"name": "sum", "of": ["kl", {"name": "infonce", "weight": 0.5}, "listmle"]}
SIZES = [5, 1, 3, 0]
ORDERED = [3, 1, 0, 0]
GOLD = [[0, 1], [0], [2], []]


def loss_from(name: str) -> Loss:
    """The loss of that name, with what it cannot do without."""
    return loss_of(SUM if name == "sum" else name)


def example(garbage: float = 0.0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Target]:
    generator = torch.Generator().manual_seed(3)
    rows = [torch.randn(size, generator=generator).tolist() for size in SIZES]
    teacher = [torch.randn(size, generator=generator).tolist() for size in SIZES]
    return padded(rows, garbage, dtype), target(SIZES, ORDERED, padded(teacher, garbage, torch.float32), GOLD)


@pytest.mark.parametrize("name", ALL)
def test_describes_itself(name: str) -> None:
    loss = plugins(Loss)[name]
    assert loss.summary and loss.source and loss.formula and loss.__doc__
    assert loss.role in ("ranker", "retriever", "both")
    assert set(loss.needs) <= {"order", "scores", "gold labels", "embeddings"}


@pytest.mark.parametrize("name", NAMES)
def test_needs_something(name: str) -> None:
    assert loss_from(name).needed


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_right(name: str) -> None:
    scores, wanted = example()
    assert torch.autograd.gradcheck(lambda s: loss_from(name)(s, wanted), scores.requires_grad_())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), float("-inf"), 1e9])
def test_padding_reaches_neither_value_nor_gradient(name: str, garbage: float) -> None:
    clean, wanted = example()
    dirty, spoilt = example(garbage)
    clean.requires_grad_(), dirty.requires_grad_()
    value, same = loss_from(name)(clean, wanted), loss_from(name)(dirty, spoilt)
    assert value.item() == same.item()
    value.backward(), same.backward()
    torch.testing.assert_close(clean.grad, dirty.grad)
    assert (dirty.grad[~wanted.mask] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_ragged_batch_is_the_mean_of_its_lists(name: str) -> None:
    scores, wanted = example()
    alone = [
        loss_from(name)(
            scores[i : i + 1],
            Target(
                wanted.mask[i : i + 1], wanted.ordered[i : i + 1], wanted.scores[i : i + 1], wanted.positives[i : i + 1]
            ),
        )
        for i in range(4)
    ]
    torch.testing.assert_close(loss_from(name)(scores, wanted), torch.stack(alone).mean())


@pytest.mark.parametrize("name", [name for name in NAMES if plugins(Loss)[name].shifts])
def test_shifting_a_list_changes_nothing(name: str) -> None:
    scores, wanted = example()
    shifted = scores + torch.tensor([[7.0], [-3.0], [100.0], [5.0]])
    torch.testing.assert_close(loss_from(name)(shifted, wanted), loss_from(name)(scores, wanted))


@pytest.mark.parametrize("name", NAMES)
def test_order_of_the_tail_and_of_the_batch_does_not_matter(name: str) -> None:
    scores, wanted = example()
    places = [0, 1, 2, 4, 3]
    if name in ("infonce", *SCORES):
        places = [0, 3, 1, 4, 2]
    one = Target(wanted.mask[:1], wanted.ordered[:1], wanted.scores[:1], wanted.positives[:1])
    moved = Target(one.mask, one.ordered, one.scores[:, places], one.positives[:, places])
    torch.testing.assert_close(loss_from(name)(scores[:1, places], moved), loss_from(name)(scores[:1], one))
    rows = [2, 0, 3, 1]
    mixed = Target(wanted.mask[rows], wanted.ordered[rows], wanted.scores[rows], wanted.positives[rows])
    torch.testing.assert_close(loss_from(name)(scores[rows], mixed), loss_from(name)(scores, wanted))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1e4, 1e15])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_extreme_scores_stay_finite(name: str, size: float, dtype: torch.dtype) -> None:
    scores = (padded([[1.0, -1.0, 0.5, -0.5], [-1.0, 1.0]]) * size).to(dtype).requires_grad_()
    loss = loss_of({**(SUM if name == "sum" else {"name": name}), "temperature": 0.05})(
        scores, target([4, 2], scores=padded([[1.0, 0, -1, 0], [1, -1]], dtype=torch.float32) * size, gold=[[0], [0]])
    )
    loss.backward()
    assert loss.isfinite() and loss.dtype == torch.float32
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("name", ORDER)
def test_perfect_order_is_the_best_and_the_gradient_leads_there(name: str) -> None:
    perfect = torch.tensor([[4.0, 3.0, 2.0, 1.0]])
    wanted = target([4])
    best = loss_from(name)(perfect, wanted)
    worse = [loss_from(name)(perfect[:, list(order)], wanted) for order in ([1, 0, 2, 3], [3, 2, 1, 0], [2, 0, 1, 3])]
    assert all(best < other for other in worse)
    scores = torch.zeros(1, 4, requires_grad=True)
    for _ in range(300):
        (gradient,) = torch.autograd.grad(loss_from(name)(scores, wanted), scores)
        scores = (scores - gradient).detach().requires_grad_()
    lead = scores[0, :-1] - scores[0, 1:]
    assert (lead[:1] > 0.05).all() if name == "softmax-ce" else (lead > 0.05).all()


@pytest.mark.parametrize("name", DIVERGING)
def test_matching_the_target_is_the_minimum(name: str) -> None:
    teacher = torch.tensor([[2.0, 0.5, -1.0, 0.0]])
    wanted = target([4], scores=teacher)
    scores = (teacher + 5).requires_grad_()
    loss = loss_from(name)(scores, wanted)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert gradient.abs().max() < 1e-6
    assert loss_from(name)(teacher.flip(1), wanted) > 0.1


@pytest.mark.parametrize("name", SCORES)
def test_without_scores_says_so(name: str) -> None:
    with pytest.raises(ValueError, match="carry none"):
        loss_from(name)(torch.zeros(1, 2), target([2]))


def test_infonce_without_gold_says_so() -> None:
    with pytest.raises(ValueError, match="gold"):
        loss_from("infonce")(torch.zeros(1, 2), target([2]))


def test_infonce_pulls_positives_up_and_pushes_negatives_down() -> None:
    scores = torch.zeros(1, 4, requires_grad=True)
    loss_from("infonce")(scores, target([4], gold=[[1, 3]])).backward()
    assert scores.grad.sign().tolist() == [[1, -1, 1, -1]]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(NAMES))
def test_any_ragged_batch_gives_a_finite_number_no_lower_than_zero(data: st.DataObject, name: str) -> None:
    sizes = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=4).filter(any))
    number = st.floats(-1e3, 1e3, width=32)
    rows = [data.draw(st.lists(number, min_size=size, max_size=size)) for size in sizes]
    teacher = [data.draw(st.lists(number, min_size=size, max_size=size)) for size in sizes]
    ordered = [data.draw(st.integers(0, size)) for size in sizes]
    gold = [data.draw(st.sets(st.integers(0, size - 1))) if size else set() for size in sizes]
    scores = padded(rows, float("nan"), torch.float32).requires_grad_()
    loss = loss_from(name)(
        scores,
        target(sizes, ordered, padded(teacher, float("nan"), torch.float32), [sorted(places) for places in gold]),
    )
    loss.backward()
    assert loss.isfinite() and (loss.item() >= -1e-4 or name == "emdr2")
    assert scores.grad.isfinite().all()
