"""The student before any training, or any other encoder as it comes: what distillation must improve on."""

from __future__ import annotations

from pydantic import Field

from harness.method import MethodInputs, RetrieverMethod
from harness.models import ModelFiles, resolve_model
from harness.plugins import Settings
from harness.stage import Stage


class ZeroShotSettings(Settings):
    """Settings of the untrained reference."""

    model: str | None = Field(None, description="an encoder to use as it comes; the sweep's student when left out")


class ZeroShot(RetrieverMethod):
    """Dense search with an encoder that was not trained here."""

    name = "zero-shot"
    summary = "the student (or another encoder) as it comes, no training"
    category = "reference"
    settings: ZeroShotSettings

    def retriever(self, inputs: MethodInputs) -> ModelFiles | Stage:
        return resolve_model(self.settings.model, inputs.base) if self.settings.model else inputs.retriever
