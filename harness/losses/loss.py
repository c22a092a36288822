"""What a loss is: student scores of a batch of lists against a target, to one number.

Shapes: B lists of up to K candidates, padded on the right. Candidates come in the target's order: the ordered prefix
first (best first), then the unordered tail, then padding.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, Field

from harness.plugins import Plugin, Settings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Target:
    """What the student should match, for B lists of up to K candidates.

    `mask` (B, K) bool: true where there is a candidate; what stands elsewhere may be anything and must change nothing.
    `ordered` (B,) int64: how many leading candidates are ordered, the rest being an unordered tail. `scores` (B, K)
    float32 or None: the teacher's or ranker's scores, where the target has any. `positives` (B, K) bool or None: true
    at gold documents, where the lists know of any.

    `in_batch_negatives` (B, D) bool or None: where the D distinct documents of a whole batch stand behind each list,
    true at those that are negatives for it, being neither of this list nor known to answer its query. The student's
    scores are (B, K + D) then.

    `student_embeddings` and `teacher_embeddings` (B, 1 + K, d) float32 or None: of the query, then of each candidate,
    by the student (differentiable) and by the encoder that the loss names; only for a loss that needs embeddings.

    >>> import harness, torch
    >>> target = harness.Target(mask=torch.tensor([[True, True, False]]), ordered=torch.tensor([2]))
    >>> target.mask.sum().item(), target.scores is None
    (2, True)
    """

    mask: Tensor
    ordered: Tensor
    scores: Tensor | None = None
    positives: Tensor | None = None
    in_batch_negatives: Tensor | None = None
    student_embeddings: Tensor | None = None
    teacher_embeddings: Tensor | None = None


class LossSettings(Settings):
    """What every loss can be told."""

    temperature: float | None = Field(
        default=None,
        gt=0,
        description="student scores are divided by it; left out: 1 for a ranker's scores, 0.05 for a retriever's "
        "cosines",
    )


class Loss(Plugin):
    """A loss by name. Settings (temperatures, weights) come from the sweep file.

    >>> import harness, torch
    >>> class FirstAbove(harness.Loss):
    ...     name, summary, role = "first-above", "the first above all others", "ranker"
    ...     formula = "sum_j max(0, 1 - s_1 + s_j)"
    ...
    ...     def __call__(self, scores, target):
    ...         rest = scores[:, 1:].masked_fill(~target.mask[:, 1:], float("-inf"))
    ...         return (1 - scores[:, :1] + rest).clamp(min=0).sum(dim=1).mean()
    >>> loss = FirstAbove(FirstAbove.Settings())
    >>> target = harness.Target(torch.tensor([[True, True, False]]), torch.tensor([2]))
    >>> loss(torch.tensor([[2.0, 1.5, 9.0]]), target).item()
    0.5
    """

    entry_point_group: ClassVar[str] = "harness.losses"
    formula: ClassVar[str]
    role: ClassVar[str]
    """'ranker' (order in), 'retriever' (scores or order in) or 'both'."""
    version: ClassVar[int] = 1
    """Rises with the formula, so that nothing is taken from a store that another one trained."""
    shifts: ClassVar[bool] = True
    """Whether adding one number to all scores of a list changes nothing."""
    settings: LossSettings

    def __init__(self, settings: LossSettings, temperature: float = 1.0) -> None:
        """`temperature` is what this student's scores call for where the settings name none."""
        self.settings = settings
        self.temperature = settings.temperature or temperature

    @property
    def needed(self) -> tuple[str, ...]:
        """`needs` with these settings."""
        return self.needs

    @property
    def encoder(self) -> str | None:
        """The model whose embeddings it needs, as its settings name it; None where it needs none."""
        return None

    @property
    def in_batch(self) -> bool:
        """Whether it also sees the documents of the batch's other lists (`Target.in_batch_negatives`); its scores are
        (B, K + D) then."""
        return False

    @classmethod
    def parts(cls, settings: BaseModel) -> tuple[tuple[tuple[str | int, ...], type[Loss]], ...]:  # noqa: ARG003
        """The losses that settings put together, each with the path of the key that names it; a loss alone is its own
        part."""
        return ((("name",), cls),)

    @abstractmethod
    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        """Mean over the B lists, a scalar; differentiable in `scores` (B, K), whatever stands at padded places."""
