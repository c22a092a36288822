"""Embeddings towards those of a teacher encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness._lazy import lazy
from harness.losses._lists import to_float32
from harness.losses.loss import Loss, LossSettings, Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class EmbedDistillSettings(LossSettings):
    """Which encoder teaches, and how much each side counts."""

    encoder: str = Field(
        description="the encoder that teaches: bundled:NAME, a folder, or a Hugging Face id",
        json_schema_extra={"transport": True},
    )
    queries: float = Field(default=1.0, ge=0, description="weight of the queries' distances")
    documents: float = Field(default=1.0, ge=0, description="weight of the documents' distances")


class EmbedDistill(Loss):
    """The squared distance between the student's embeddings and those of a teacher encoder: of a list's query, and the
    mean over its documents. It reads no order and no scores; summed with a loss that does, both count.

    The paper has the student's embeddings go through a linear map that learns. Here those of the teacher are turned
    onto the student's space once, before training, by the best rotation (harness/training/teacher_embeddings.py), and
    distances are squared. The model enters keys by its content, not by its name.
    """

    name = "embed-distill"
    summary = "squared distance of the student's embeddings from those of a teacher encoder"
    source = "Kim et al. (EmbedDistill), arXiv 2301.12005"
    formula = "w_q |q_s - q_t|^2 + w_d mean_i |d_s,i - d_t,i|^2"
    role = "retriever"
    needs = ("embeddings",)
    shifts = False
    settings: EmbedDistillSettings

    @property
    def encoder(self) -> str | None:
        return self.settings.encoder

    def __call__(self, scores: Tensor, target: Target) -> Tensor:
        if target.student_embeddings is None or target.teacher_embeddings is None:
            raise ValueError("embed-distill needs embeddings of a student and of a teacher encoder")
        mask = target.mask
        # A list without documents says nothing, of its query neither.
        counted = torch.cat([mask.any(1, keepdim=True), mask], 1)[:, :, None]
        student = to_float32(target.student_embeddings).masked_fill(~counted, 0.0)
        teacher = to_float32(target.teacher_embeddings).masked_fill(~counted, 0.0)
        distances = (student - teacher).square().sum(2)
        documents = distances[:, 1:].sum(1) / mask.sum(1).clamp(min=1)
        return (self.settings.queries * distances[:, 0] + self.settings.documents * documents).mean()
