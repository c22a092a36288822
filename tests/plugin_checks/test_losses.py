"""Every broken contract of a loss is caught by its name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.errors import UserErrors
from harness.losses.loss import Loss
from harness.plugin_checks.run_checks import check
from harness.plugins import plugins


class Best(Loss):
    """Softmax cross-entropy on the first; the others here each spoil one thing of it."""

    name = "best"
    summary = "for tests"
    source = "tests"
    formula = "-log softmax(s)_1"
    role = "both"
    needs = ("order",)

    def __call__(self, scores: Any, target: Any) -> Any:
        return self.each(scores, target).mean()

    def each(self, scores: Any, target: Any) -> Any:
        known = scores.float() if scores.dtype == torch.bfloat16 else scores
        known = known.masked_fill(~target.mask, torch.finfo(known.dtype).min)
        return -known.log_softmax(1)[:, 0].masked_fill(target.ordered == 0, 0.0)


class Summed(Best):
    def __call__(self, scores: Any, target: Any) -> Any:
        return self.each(scores, target).sum()


class OneEach(Best):
    def __call__(self, scores: Any, target: Any) -> Any:
        return self.each(scores, target)


class Detached(Best):
    def __call__(self, scores: Any, target: Any) -> Any:
        return super().__call__(scores.detach(), target)


class Leaky(Best):
    def each(self, scores: Any, target: Any) -> Any:
        return super().each(scores, target) + 0 * scores.sum(1)


class Shifting(Best):
    def each(self, scores: Any, target: Any) -> Any:
        return super().each(scores, target) + scores.masked_fill(~target.mask, 0.0).sum(1) / 10


class Tailed(Best):
    def each(self, scores: Any, target: Any) -> Any:
        clean = scores.masked_fill(~target.mask, 0.0)
        return super().each(scores, target) + torch.nn.functional.softplus(clean[:, 3] - clean[:, 4])


class Placed(Best):
    """Takes candidates that the teacher scores alike as they stand."""

    def each(self, scores: Any, target: Any) -> Any:
        order = target.scores.masked_fill(~target.mask, -1e9).argsort(dim=1, descending=True, stable=True)
        clean = scores.masked_fill(~target.mask, 0.0).gather(1, order)
        return (
            super().each(scores, target) + torch.nn.functional.softplus(clean[:, 3] - clean[:, 4]) * target.mask[:, 4]
        )


class Narrow(Best):
    def each(self, scores: Any, target: Any) -> Any:
        return super().each(scores, target).to(scores.dtype)


class Reversed(Best):
    def each(self, scores: Any, target: Any) -> Any:
        return -super().each(scores, target)


class Nameless(Best):
    """Says nothing of its source."""

    source = ""


@pytest.mark.parametrize(
    ("loss", "contract"),
    [
        (Nameless, "describes-itself"),
        (OneEach, "scalar"),
        (Detached, "differentiable"),
        (Leaky, "padding"),
        (Summed, "ragged"),
        (Shifting, "shift"),
        (Tailed, "tail"),
        (Placed, "tail"),
        (Narrow, "bf16"),
        (Reversed, "target"),
    ],
)
def test_a_broken_contract_is_caught_by_name(loss: type[Loss], contract: str) -> None:
    assert contract in check("loss", loss).broken


@pytest.mark.parametrize("name", ["listmle", "kl", "infonce", "lambdarank", "pointwise-mse"])
def test_ours_keep_theirs(name: str) -> None:
    report = check("loss", plugins(Loss)[name])
    assert report.ok, str(report)


def test_a_sum_needs_what_its_terms_need() -> None:
    report = check("loss", plugins(Loss)["sum"], {"of": ["kl", {"name": "listmle", "weight": 0.5}]})
    assert report.ok, str(report)


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(UserErrors, match="temprature"):
        check("loss", plugins(Loss)["kl"], {"temprature": 1})
