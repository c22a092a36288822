"""What a loss promises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.losses.loss import Loss, Target
from harness.plugin_checks.check import Broken, Checks, NotChecked, check_description
from harness.plugins import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")

ROLES = ("ranker", "retriever", "both")
NEEDS = ("order", "scores", "gold labels", "embeddings")
SIZES, ORDERED, GOLD = (5, 1, 3, 0), (3, 1, 0, 0), ((0, 1), (0,), (2,), ())
"""A ragged batch: an ordered prefix with a tail, a single candidate, nothing ordered, an empty list."""

_LISTS = "harness/losses/_lists.py has masked sums, softmax and means that hold to this"


@dataclass
class LossCase:
    """A loss with its settings."""

    kind: type[Loss]
    settings: Settings

    def value(self, scores: Tensor, target: Target) -> Tensor:
        """The loss. Raises Broken ``scalar`` when it is no scalar tensor.

        One that needs embeddings sees some of one number: a document's is its score, a query's is 0.
        """
        found: Any = self.kind(self.settings)  # type: ignore[arg-type]
        if "embeddings" in found.needed:
            assert target.scores is not None
            own, wanted = (torch.nn.functional.pad(one, (1, 0))[:, :, None] for one in (scores, target.scores))
            target = replace(target, student_embeddings=own, teacher_embeddings=wanted)
        loss: Any = found(scores, target)
        if not isinstance(loss, torch.Tensor) or loss.ndim:
            shape = tuple(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
            raise Broken(f"it gives {shape} for a batch, where one number is wanted", "scalar")
        return loss

    def gradient(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """The loss and its gradient in `scores`. Raises Broken ``differentiable`` when there is none."""
        scores = scores.clone().requires_grad_()
        loss = self.value(scores, target)
        if not loss.requires_grad:
            raise Broken("its value has no gradient in the scores", "differentiable")
        (found,) = torch.autograd.grad(loss, scores)
        return loss, found


def batch(garbage: float = 0.0) -> tuple[Tensor, Target]:
    """Scores (4, 5) float64 and a target for them, with `garbage` at all padded places."""
    generator = torch.Generator().manual_seed(3)
    mask = torch.arange(max(SIZES)) < torch.tensor(SIZES).unsqueeze(1)
    scores = torch.randn(mask.shape, generator=generator, dtype=torch.float64).masked_fill(~mask, garbage)
    told = torch.randn(mask.shape, generator=generator).masked_fill(~mask, garbage)
    first = torch.zeros_like(mask)
    for row, places in enumerate(GOLD):
        first[row, list(places)] = True
    return scores, Target(mask, torch.tensor(ORDERED), told, first)


def _picked(target: Target, rows: Any = slice(None), places: Any = slice(None)) -> Target:
    """Some lists of a target, their candidates at other places."""
    assert target.scores is not None and target.positives is not None
    return Target(
        target.mask[rows], target.ordered[rows], target.scores[rows][:, places], target.positives[rows][:, places]
    )


CONTRACTS: Checks[LossCase] = Checks()
"""What is tried, in this order."""


@CONTRACTS.add(
    "describes-itself", "says what it is and what it needs", remedy="set name, summary, source, formula, role, needs"
)
def describes_itself(case: LossCase) -> None:
    """Attributes that lists and sweep files rely on."""
    kind, faults = case.kind, []
    if getattr(kind, "role", None) not in ROLES:
        faults.append(f"'role' is not one of {', '.join(ROLES)}")
    # Of the loss and not of its class: a sum needs what its terms need.
    needed = kind(case.settings).needed  # type: ignore[arg-type]
    if not needed or set(needed) - set(NEEDS):
        faults.append(f"'needs' must hold some of {', '.join(NEEDS)}")
    check_description(kind, faults, texts=["source", "formula"])


@CONTRACTS.add("scalar", "gives one finite number for a ragged batch", remedy=f"an empty list counts 0; {_LISTS}")
def is_scalar(case: LossCase) -> None:
    """One finite number for a ragged batch."""
    if not case.value(*batch()).isfinite():
        raise Broken("it is not finite for a ragged batch that holds an empty list and one with nothing ordered")


@CONTRACTS.add(
    "differentiable",
    "has the gradient of its value",
    remedy="leave no .item(), .detach() or in-place change on the way",
)
def is_differentiable(case: LossCase) -> None:
    """Its gradient is that of its value, against finite differences."""
    scores, target = batch()
    case.gradient(scores, target)
    try:
        torch.autograd.gradcheck(lambda given: case.value(given, target), scores.requires_grad_())
    except RuntimeError as error:
        raise Broken(f"its gradient differs from finite differences: {str(error).splitlines()[0]}") from error


@CONTRACTS.add(
    "padding", "does not depend on what stands at padded places", remedy=f"mask before you compute, not after; {_LISTS}"
)
def ignores_padding(case: LossCase) -> None:
    """Whatever stands at padded places."""
    clean, wanted = case.gradient(*batch())
    for garbage in (float("nan"), float("inf"), 1e9):
        scores, target = batch(garbage)
        value, found = case.gradient(scores, target)
        if value.item() != clean.item():
            raise Broken(f"with {garbage} at padded places it is {value.item()}, with 0 there {clean.item()}")
        if not bool((found[~target.mask] == 0).all()) or not bool((found - wanted).abs().max() < 1e-9):
            raise Broken(f"with {garbage} at padded places its gradient is another")


@CONTRACTS.add(
    "ragged", "is the mean over the lists of a batch", remedy="sum inside each list, then take the mean over B"
)
def is_a_mean(case: LossCase) -> None:
    """A ragged batch gives the mean of its lists."""
    scores, target = batch()
    alone = [case.value(scores[row : row + 1], _picked(target, slice(row, row + 1))) for row in range(len(SIZES))]
    _same(case.value(scores, target), torch.stack(alone).mean(), "the mean over its lists, each alone,")


@CONTRACTS.add(
    "shift",
    "keeps the shift invariance it declares",
    remedy="use differences or softmax of scores, or set `shifts = False`",
)
def shifts(case: LossCase) -> None:
    """Adding one number to all scores of a list."""
    if not case.kind.shifts:
        raise NotChecked("it does not declare shift invariance")
    scores, target = batch()
    moved = scores + torch.tensor([[7.0], [-3.0], [100.0], [5.0]], dtype=scores.dtype)
    _same(
        case.value(moved, target),
        case.value(scores, target),
        "its value without a number added to all scores of a list",
    )


@CONTRACTS.add(
    "tail",
    "takes the unordered tail as a set",
    remedy="use Target.ordered: places behind it carry no order; nor do ties of the teacher's scores",
)
def ignores_tail_order(case: LossCase) -> None:
    """Candidates of the tail in another order: each with its teacher score, and where the teacher scores them alike."""
    scores, target = batch()
    assert target.scores is not None
    places = [0, 1, 2, 4, 3]
    one, row = _picked(target, slice(0, 1)), scores[:1]
    alike = target.scores[:1].clone()
    alike[:, 3:] = alike.min() - 1
    for given, said in ((one, ""), (replace(one, scores=alike), ", where the teacher scores all of it alike")):
        turned = case.value(row[:, places], _picked(given, places=places))
        _same(turned, case.value(row, given), f"its value with the tail in another order{said},")


@CONTRACTS.add("bf16", "takes bfloat16 scores and stays finite", remedy=f"widen scores first; {_LISTS}")
def takes_bfloat16(case: LossCase) -> None:
    """Half precision and large scores in, float32 out."""
    for size in (1.0, 1e4):
        scores, target = batch()
        loss, found = case.gradient((scores * size).to(torch.bfloat16), target)
        if loss.dtype != torch.float32:
            raise Broken(f"for bfloat16 scores it gives {loss.dtype}, where sums over a list need float32")
        if not loss.isfinite() or not found.isfinite().all():
            raise Broken(f"for bfloat16 scores of about {size:g} it, or its gradient, is not finite")


@CONTRACTS.add("target", "is lower where the target is met", remedy="check the sign, and that rank 1 is the best")
def prefers_the_target(case: LossCase) -> None:
    """Scores that meet the target cost less than scores that turn it round."""
    best = torch.tensor([[4.0, 3.0, 2.0, 1.0]])
    gold = torch.tensor([[True, False, False, False]])
    target = Target(torch.ones(1, 4, dtype=torch.bool), torch.tensor([4]), best, gold)
    right, wrong = case.value(best, target).item(), case.value(best.flip(1), target).item()
    if not right < wrong:
        raise Broken(f"it is {right:.4g} for scores in the target's order and {wrong:.4g} for the reverse")


def _same(found: Tensor, wanted: Tensor, what: str) -> None:
    if not abs(found.item() - wanted.item()) <= 1e-9 + 1e-6 * abs(wanted.item()):
        raise Broken(f"it is {found.item()}, {what} is {wanted.item()}")
