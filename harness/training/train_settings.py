"""How a student is trained, as sweep files say it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.plugins import Settings
from harness.students.lora import LoRA
from harness.training.early_stopping import EarlyStopping


class TrainSettings(Settings):
    """How a student is trained."""

    epochs: int = Field(default=3, ge=1, description="how often every list is seen")
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="peak; left out: 2e-5 for transformers (2e-4 with LoRA), 3e-3 for static embeddings",
    )
    batch: int = Field(
        default=16,
        ge=1,
        description="lists to an optimiser step, cut into smaller passes as memory wants it, with the same result",
    )
    warmup: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of the steps in which the learning rate rises; it then falls to 0, linearly",
    )
    weight_decay: float = Field(
        default=0.01, ge=0, description="of AdamW, not on biases and norms; static embeddings have none"
    )
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm; static embeddings are not clipped")
    dropout: bool = Field(
        default=False, description="the checkpoint's own dropout; costs a third of the speed on a CPU"
    )
    frozen_layers: int = Field(
        default=0, ge=0, description="above 0, the embeddings and this many lower layers stay as they are"
    )
    lora: LoRA | None = Field(
        default=None, description="train low-rank adapters in place of the layers' weights; left out: the weights"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="of the passes; weights are float32. auto: what is faster here"
    )
    stop: EarlyStopping | None = Field(
        default=None, description="end early, with the weights that held-out queries like best; left out: never"
    )
