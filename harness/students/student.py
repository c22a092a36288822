"""What training and the scoring of lists need of a student, be it a ranker or a retriever."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.device import autocast, best_dtype
from harness.errors import UserError
from harness.students.optimisers import build_optimisers

if TYPE_CHECKING:
    import numpy as np
    import torch

    from harness.progress import Progress
    from harness.training_lists.list_dataset import Batch, ListDataset
else:
    torch = lazy("torch")


class ListScorer(ABC):
    """A student on one dataset, whose texts it has tokenised."""

    list_tokens: np.ndarray
    """(N,) int64: tokens of each list of the dataset."""
    micro_tokens: int | None
    """Most tokens whose activations fit into memory at once; None where there is no such limit."""

    @abstractmethod
    def __call__(self, batch: Batch) -> torch.Tensor:
        """Scores (B, K), differentiable; anything may stand at padded places."""

    def score_with_embeddings(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """What it gives for `batch` when called, and the embeddings (B, 1 + K, d) of each list's query and documents.
        Raises UserError for a student that has not one a text."""
        raise UserError(
            "this loss reads embeddings, and the student has not one a text",
            remedy="take a bi-encoder, or another loss",
        )

    @abstractmethod
    def score_all(self, progress: Progress) -> list[np.ndarray]:
        """Scores of every list of the dataset, one float32 array (K_i,) a list, without gradients."""


class Student(ABC):
    """A ranker or retriever in training."""

    model: torch.nn.Module
    device: torch.device
    temperature: float
    """What its scores are divided by in a softmax where a loss names nothing else."""
    learning_rate: float
    """Peak learning rate where the settings name none."""
    supports_bf16: bool
    """Whether bfloat16 can make it faster."""

    @abstractmethod
    def bind(self, dataset: ListDataset, max_length: int) -> ListScorer:
        """The student on `dataset`, whose texts are cut to `max_length` tokens."""

    def optimisers(self, peak: float, decay: float) -> list[torch.optim.Optimizer]:
        """What moves the weights that learn; their rate rises to `peak`."""
        return build_optimisers(self.model, peak, decay)

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes a folder that sentence-transformers loads unchanged."""


def save_student(student: Student, folder: Path) -> None:
    """`Student.save` as a function, which other processes can be given."""
    student.save(folder)


def load_options(device: torch.device) -> dict[str, Any]:
    """How transformers load for training: on a CPU with plain attention, faster there than torch's fused one once
    gradients are wanted."""
    return {"attn_implementation": "eager"} if device.type == "cpu" else {}


@contextmanager
def inference_mode(student: Student) -> Iterator[None]:
    """No gradients, no dropout, and the precision that is faster here; the model is as before afterwards.

    In bfloat16 the linear weights are cast once; autocast alone would cast them anew for every pass.
    """

    precision = best_dtype() if student.supports_bf16 else "fp32"
    training = student.model.training
    student.model.eval()
    linear = (
        [part for part in student.model.modules() if isinstance(part, torch.nn.Linear)] if precision == "bf16" else []
    )
    originals = [(weight, weight.data) for part in linear for weight in part.parameters()]
    for weight, data in originals:
        weight.data = data.to(torch.bfloat16)
    try:
        with torch.inference_mode(), autocast(student.device, precision):
            yield
    finally:
        student.model.train(training)
        for weight, data in originals:
            weight.data = data


def freeze_layers(model: Any, layers: int) -> None:
    """Stops the training of the embeddings and the lower `layers` of a sentence-transformers model. Raises UserError
    when it has fewer, and when nothing that learns would be left: no layer, and neither a head nor a projection."""
    transformer = model.transformers_model
    stack = encoder_layers(transformer.base_model) if transformer is not None else []
    if layers > len(stack):
        raise UserError(f"cannot freeze {layers} layers of a student that has {len(stack)}", key="frozen_layers")
    base = transformer.base_model
    encoder = {id(weight) for weight in base.parameters()}
    if layers == len(stack) and all(id(weight) in encoder for weight in model.parameters()):
        raise UserError(
            f"all {layers} layers of a student without a head would be frozen, and nothing trained",
            key="frozen_layers",
            remedy=f"freeze {layers - 1} at most",
        )
    for part in (getattr(base, "embeddings", None) or base.get_input_embeddings(), *stack[:layers]):
        part.requires_grad_(False)


def encoder_layers(base: Any) -> list[torch.nn.Module]:
    """The layers of a transformer without a head, lowest first."""
    total = base.config.num_hidden_layers
    return next(
        (list(part) for part in base.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == total), []
    )
