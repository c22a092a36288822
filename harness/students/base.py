"""What the training loop and the scoring of lists need of a student, be it a ranker or a retriever."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import torch

    from harness.stage import Progress
    from harness.students.batches import Batch, ListTable


class Reader(ABC):
    """A student over one table of lists whose texts it has tokenised."""

    sizes: np.ndarray
    """(N,) int64: tokens of each list of the table."""
    micro_tokens: int | None
    """Most tokens whose activations fit into memory at once; None where there is no such limit."""

    @abstractmethod
    def __call__(self, batch: Batch) -> torch.Tensor:
        """Scores (B, K), differentiable; anything may stand at padded places."""

    @abstractmethod
    def score_all(self, progress: Progress) -> list[np.ndarray]:
        """Scores of every list of the table, one float32 array (K_i,) a list, without gradients."""


class Student(ABC):
    """A ranker or retriever in training."""

    model: torch.nn.Module
    device: torch.device
    temperature: float
    """What its scores are divided by in a softmax where a loss names nothing else."""
    learning_rate: float
    """Peak learning rate where the settings name none."""
    halves: bool
    """Whether bfloat16 can make it faster."""

    @abstractmethod
    def over(self, table: ListTable, max_length: int) -> Reader:
        """Tokenises the table's texts, cut to `max_length` tokens."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes a folder that sentence-transformers loads unchanged."""


@contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Loads without progress bars and advice from transformers; what fails raises UserError naming the folder."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, TypeError) as error:
        raise UserError(f"the model in '{folder}' does not load: {error}", remedy="give a folder saved by sentence-transformers") from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def loading(device: torch.device) -> dict[str, Any]:
    """How transformers load for training: never from a pickle; on a CPU with plain attention, faster there than torch's fused one
    once gradients are wanted."""
    return {"use_safetensors": True, **({"attn_implementation": "eager"} if device.type == "cpu" else {})}


def freeze_lower(model: Any, layers: int) -> None:
    """Stops the training of the embeddings and the lower `layers` of a sentence-transformers model. Raises UserError when it has fewer."""
    from torch.nn import ModuleList

    transformer = model.transformers_model
    base = transformer.base_model if transformer is not None else model
    total = base.config.num_hidden_layers if transformer is not None else 0
    stack = next((list(part) for part in base.modules() if isinstance(part, ModuleList) and len(part) == total), [])
    if layers > len(stack):
        raise UserError(f"cannot freeze {layers} layers of a student that has {len(stack)}", key="frozen_layers")
    for part in (getattr(base, "embeddings", None) or base.get_input_embeddings(), *stack[:layers]):
        part.requires_grad_(False)
