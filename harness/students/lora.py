"""Low-rank adapters (Hu et al., LoRA, arXiv 2106.09685) through peft; they are merged into the weights before a student
is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness._lazy import lazy
from harness.errors import UserError
from harness.plugins import Settings
from harness.students.student import encoder_layers

if TYPE_CHECKING:
    import torch

    from harness.students.student import Student
else:
    torch = lazy("torch")

RATE = 2e-4
"""Peak learning rate where none is named: adapters start at zero and want more than whole weights do."""


class LoRA(Settings):
    """Adapters beside the linear layers of a transformer. What follows its layers (pooler, head) is trained as ever."""

    rank: int = Field(default=8, ge=1, description="of the adapters")
    alpha: int = Field(default=16, ge=1, description="an adapter's output is multiplied by alpha / rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="on what the adapters read, in training only")
    targets: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="ends of the names of the linear layers that get one (query, value); left out: all",
    )


def add_adapters(student: Student, settings: LoRA | None) -> Callable[[], object]:
    """Adds adapters (drawn from torch's generator) and lets only them and what follows the layers learn; without
    settings, nothing.

    Layers that are frozen already get none. Returns what merges them: call it once, after training. Raises UserError
    without peft, for a student that is no transformer, and where no layer has one of the `targets`.
    """
    if settings is None:
        return lambda: None
    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        raise UserError("LoRA needs peft", key="lora", remedy="run: pip install 'distil-harness[lora]'") from error
    model: Any = student.model.transformers_model
    if model is None:
        raise UserError(
            "LoRA is for transformers, and this student is none",
            key="lora",
            remedy="leave it out, or take another student",
        )
    base: Any = model.base_model
    names, others = _target_names(base, settings), _weights_without_adapter(base)
    config = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=names)
    adapters = LoraModel(base, config, "default")
    for weight in others:
        weight.requires_grad_(True)
    _set_dropout(base, settings.dropout)
    student.learning_rate = RATE
    merge: Callable[[], object] = adapters.merge_and_unload
    return merge


def _target_names(base: Any, settings: LoRA) -> list[str]:
    """Names of the linear layers that get an adapter."""
    inside = {id(part) for layer in encoder_layers(base) for part in layer.modules()}
    linear = [
        name
        for name, part in base.named_modules()
        if isinstance(part, torch.nn.Linear) and id(part) in inside and part.weight.requires_grad
    ]
    targets = [name for name in linear if settings.targets is None or name.endswith(settings.targets)]
    if not targets:
        known = ", ".join(sorted({name.rpartition(".")[2] for name in linear}))
        raise UserError(
            "no layer that learns has one of these names", key="lora.targets", remedy=f"known: {known or 'none'}"
        )
    return targets


def _weights_without_adapter(base: Any) -> list[torch.nn.Parameter]:
    """Weights that learn and belong neither to the embeddings nor to the layers."""
    parts = [base.get_input_embeddings(), getattr(base, "embeddings", None), *encoder_layers(base)]
    inside = {id(weight) for part in parts if part is not None for weight in part.parameters()}
    return [weight for weight in base.parameters() if weight.requires_grad and id(weight) not in inside]


def _set_dropout(base: Any, share: float) -> None:
    """Adapters drop while gradients are wanted, whether the checkpoint's own dropout is on or off."""

    class AdapterDropout(torch.nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(values, share, torch.is_grad_enabled())

    for part in base.modules():
        if share and hasattr(part, "lora_dropout"):
            part.lora_dropout["default"] = AdapterDropout()
