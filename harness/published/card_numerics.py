"""What a card says of the arithmetic of models behind a run: bits of its results depend on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import NonNegativeInt, PositiveInt

from harness.published.card_section import CardSection, Line


class NumericsSection(CardSection):
    """Over the stages behind the run in which models computed, each value once."""

    absent = frozenset({"tf32", "unrecorded"})

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


def joined(one: NumericsSection | None, other: NumericsSection | None) -> NumericsSection | None:
    """What two sections say together; of stages that were made before this was written down no more than either."""
    if one is None or other is None:
        return one or other
    libraries = dict.fromkeys([*one.versions, *other.versions])
    return NumericsSection(
        classes=_distinct((*one.classes, *other.classes)),
        devices=_distinct((*one.devices, *other.devices)),
        threads=_distinct((*one.threads, *other.threads)),
        tf32=_distinct((*one.tf32, *other.tf32)),
        versions={name: _distinct((*one.versions.get(name, ()), *other.versions.get(name, ()))) for name in libraries},
        unrecorded=max(one.unrecorded, other.unrecorded),
    )


def _distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))
