"""Weighted sums of losses, and contrastive terms that also see the documents of other lists."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from harness.losses.loss import Loss
from harness.losses.spec import LossSpec
from harness.plugins import plugin
from harness.stage import digest
from tests.losses.lists import loss_from, padded, target

S = [[0.3, -1.2, 2.0], [1.5, 0.1]]
T = [[2.0, 1.0, 0.5], [0.0, 4.0]]
SIZES = [3, 2]
POOL = [[0.3, -1.2, 2.0, 0.7, 0.4], [-0.5, 0.9, 1.1, 1.5, 0.1]]
"""Scores of the whole batch's documents: those of the first list, then those of the second."""
OTHERS = [[False, False, False, True, True], [True, False, True, False, False]]
JOINED = {"name": "infonce", "in_batch": True, "positive": "top"}


def joined() -> torch.Tensor:
    return torch.cat([padded(S), torch.tensor(POOL, dtype=torch.float64)], 1)


def seen(**fields: Any) -> Any:
    return target(SIZES, scores=padded(T), others=OTHERS, **fields)


def test_a_sum_is_the_weighted_sum_of_its_terms() -> None:
    spec = {
        "name": "sum",
        "of": ["kl", {"name": "listmle", "weight": 0.25, "temperature": 0.5}, {"name": "infonce", "weight": 0.1}],
    }
    wanted = target(SIZES, scores=padded(T), gold=[[1], [0]])
    parts = [(1, "kl"), (0.25, {"name": "listmle", "temperature": 0.5}), (0.1, "infonce")]
    alone = sum(weight * loss_from(part)(padded(S), wanted) for weight, part in parts)
    torch.testing.assert_close(loss_from(spec)(padded(S), wanted), alone)


def test_temperatures_reach_the_terms_that_name_none() -> None:
    spec: dict[str, Any] = {"name": "sum", "of": ["ranknet", {"name": "listmle", "temperature": 0.5}]}
    wanted = target(SIZES)
    for given, outer in (({"temperature": 0.2}, 1.0), ({}, 0.2)):
        alone = loss_from({"name": "ranknet", "temperature": 0.2})(padded(S), wanted) + loss_from(spec["of"][1])(
            padded(S), wanted
        )
        torch.testing.assert_close(loss_from({**spec, **given}, outer)(padded(S), wanted), alone)


def test_equal_sums_have_one_key_and_other_sums_another() -> None:
    spec = LossSpec.of({"name": "sum", "of": ["kl", {**JOINED, "weight": 0.1}]})
    written = LossSpec.of(
        {"name": "sum", "of": [{"name": "kl", "weight": 1, "reduction": "batchmean"}, {**JOINED, "weight": 0.1}]}
    )
    assert spec == written and hash(spec) == hash(written) and digest(spec) == digest(written)
    others = [
        ["kl", {**JOINED, "weight": 0.2}],
        ["kl", JOINED],
        ["reverse-kl", {**JOINED, "weight": 0.1}],
        ["kl", {**JOINED, "weight": 0.1, "positive": "gold"}],
        ["kl"],
    ]
    assert len({digest(LossSpec.of({"name": "sum", "of": terms})) for terms in others} | {digest(spec)}) == 6


def test_the_short_form_of_a_sum_is_the_same_sum() -> None:
    settings = LossSpec.of({"name": "sum", "of": [{"name": "kl"}, {**JOINED, "weight": 0.1}]}).settings
    short = settings.model_dump(mode="json", exclude_defaults=True)
    assert short == {"of": ["kl", {"name": "infonce", "weight": 0.1, "in_batch": True, "positive": "top"}]}
    assert LossSpec.of({"name": "sum", **short}).settings == settings


def test_a_sum_needs_what_its_terms_need() -> None:
    assert LossSpec.of({"name": "sum", "of": ["kl", "infonce", "kl"]}).needs == ("scores", "gold labels")
    assert LossSpec.of({"name": "sum", "of": ["kl", {"name": "sum", "of": [JOINED]}]}).needs == ("scores", "order")
    assert LossSpec.of("listmle").needs == ("order",)


def test_a_sum_names_its_parts_with_their_keys() -> None:
    spec = LossSpec.of({"name": "sum", "of": ["kl", {"name": "sum", "of": ["hinge"]}]})
    kl, hinge = plugin(Loss, "kl"), plugin(Loss, "hinge")
    assert plugin(Loss, "sum").parts(spec.settings) == ((("of", 0, "name"), kl), (("of", 1, "of", 0, "name"), hinge))
    assert str(spec) == "kl + hinge"


def test_only_a_sum_with_such_a_term_sees_the_batch() -> None:
    assert loss_from(JOINED).in_batch and loss_from({"name": "sum", "of": ["kl", JOINED]}).in_batch
    assert not loss_from("infonce").in_batch and not loss_from({"name": "sum", "of": ["kl", "infonce"]}).in_batch


def test_top_is_the_first_of_the_order() -> None:
    ordered = target([3, 2, 2], [3, 1, 0])
    scores = padded([*S, [3.0, 0.0]])
    slow = [-math.log(math.exp(row[0]) / sum(map(math.exp, row))) for row in S]
    got = loss_from({"name": "infonce", "positive": "top"})(scores, ordered)
    assert got.item() == pytest.approx(sum(slow) / 3, rel=1e-12)


@pytest.mark.parametrize(("positive", "places"), [("top", [0, 0]), ("gold", [2, 1])])
def test_in_batch_adds_the_others_to_the_denominator(positive: str, places: list[int]) -> None:
    slow = []
    for own, pool, others, place in zip(S, POOL, OTHERS, places, strict=True):
        negatives = [score for i, score in enumerate(own) if i != place] + [
            s for s, other in zip(pool, others, strict=True) if other
        ]
        slow.append(-math.log(math.exp(own[place]) / (math.exp(own[place]) + sum(map(math.exp, negatives)))))
    got = loss_from({**JOINED, "positive": positive})(joined(), seen(gold=[[place] for place in places]))
    assert got.item() == pytest.approx(sum(slow) / 2, rel=1e-12)


def test_in_batch_is_a_list_of_the_batch_alone() -> None:
    """Against the same negatives written into one longer list."""
    negatives = [
        [score for score, other in zip(pool, others, strict=True) if other]
        for pool, others in zip(POOL, OTHERS, strict=True)
    ]
    longer = padded([own + more for own, more in zip(S, negatives, strict=True)])
    plain = loss_from({"name": "infonce", "positive": "top"})(longer, target([5, 4], [3, 2]))
    torch.testing.assert_close(loss_from(JOINED)(joined(), seen()), plain)


def test_terms_on_scores_see_their_own_list_only() -> None:
    of = ["kl", "ranknet", {**JOINED, "weight": 0.1}]
    got = loss_from({"name": "sum", "of": of})(joined(), seen())
    own = loss_from("kl")(padded(S), seen()) + loss_from("ranknet")(padded(S), seen())
    torch.testing.assert_close(got, own + 0.1 * loss_from(JOINED)(joined(), seen()))


def test_gradients_of_a_joined_sum() -> None:
    loss = loss_from({"name": "sum", "of": ["kl", {**JOINED, "weight": 0.3}, "adr-mse"]})
    assert torch.autograd.gradcheck(lambda scores: loss(scores, seen()), joined().requires_grad_())


@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), -1e30])
def test_known_positives_of_other_lists_do_not_count(garbage: float) -> None:
    """Neither they nor padded places reach the value or a gradient, whatever their scores."""
    counted = torch.cat([target(SIZES).mask, torch.tensor(OTHERS)], 1)
    clean, dirty = joined(), joined().masked_fill(~counted, garbage)
    for scores in (clean.requires_grad_(), dirty.requires_grad_()):
        loss_from(JOINED)(scores, seen()).backward()
    torch.testing.assert_close(clean.grad, dirty.grad)
    assert (dirty.grad[~counted] == 0).all() and (dirty.grad[counted] != 0).all()


def test_shifting_a_query_s_scores_changes_nothing() -> None:
    loss = loss_from({"name": "sum", "of": ["kl", JOINED]})
    shifted = joined() + torch.tensor([[7.0], [-30.0]])
    torch.testing.assert_close(loss(shifted, seen()), loss(joined(), seen()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_extreme_scores_of_others_stay_finite(dtype: torch.dtype) -> None:
    scores = (joined() * 1e15).to(dtype).requires_grad_()
    loss = loss_from({**JOINED, "temperature": 0.01})(scores, seen())
    loss.backward()
    assert loss.isfinite() and scores.grad.isfinite().all()


def test_in_batch_without_a_batch_says_so() -> None:
    with pytest.raises(ValueError, match="whole batch"):
        loss_from(JOINED)(padded(S), target(SIZES))
