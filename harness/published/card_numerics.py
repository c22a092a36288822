"""What a card says of the arithmetic of models behind a run: bits of its results depend on it."""

from __future__ import annotations

from typing import Any

from pydantic import NonNegativeInt, PositiveInt, SerializerFunctionWrapHandler, model_serializer

from harness.published.card_section import CardSection, Line


class NumericsSection(CardSection):
    """Over the stages behind the run in which models computed, each value once."""

    classes: tuple[Line, ...]
    """Device and precision, such as cpu-bf16; several where stages of other numerics were put together."""
    devices: tuple[Line, ...]
    """Models of GPUs or processors."""
    threads: tuple[PositiveInt, ...]
    tf32: tuple[bool, ...] = ()
    """Whether GPUs rounded the factors of float32 products to TF32; absent on disk where none was at work."""
    versions: dict[Line, tuple[Line, ...]]
    """Of the libraries that decide numbers."""
    unrecorded: NonNegativeInt = 0
    """Stages that were made before this was written down; absent on disk where there are none."""

    @model_serializer(mode="wrap")
    def _without_absent(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value or name not in ("tf32", "unrecorded")}
