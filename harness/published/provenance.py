"""How a run was made, beside its card: every stage behind it, and the loss curves of those that trained.

A file of its own, ``provenance.json``: a card stays short, and no key of a stage depends on it. Version 1 of it, which
said neither its version nor some keys by their present names, was called ``making.json``; both are read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, AwareDatetime, Field, NonNegativeFloat, NonNegativeInt, field_validator

from harness.errors import UserError
from harness.published.card_section import CardSection, Hash, Line
from harness.published.result_folder import FORMER_PROVENANCE, PROVENANCE, check_file
from harness.text import plain
from harness.validation import validated_json

POINTS = 200
"""Most points of a curve; longer ones are thinned to means of windows."""
_MOST_STAGES = 5_000
Steps = Annotated[tuple[NonNegativeInt, ...], Field(max_length=POINTS)]
Losses = Annotated[tuple[float | None, ...], Field(max_length=POINTS)]
"""None where the loss was no finite number."""


class LossCurveData(CardSection):
    """What a training's loss did: a point is the mean loss of `window` optimiser steps, at the last of them (steps
    count from 1)."""

    steps: NonNegativeInt
    """Optimiser steps in all."""
    best_step: NonNegativeInt = Field(validation_alias=AliasChoices("best_step", "kept"))
    """The step whose weights the artefact holds."""
    window: Annotated[int, Field(ge=1)] = 1
    step: Steps
    loss: Losses
    held_out_step: Steps = ()
    held_out_loss: Losses = ()


class StageProvenance(CardSection):
    """A stage behind the run: how long it took when it was made, and whether that was before the sweep that published
    the run."""

    kind: Line
    label: Line
    key: Hash
    seconds: NonNegativeFloat
    seconds_standalone: NonNegativeFloat | None = Field(
        default=None, validation_alias=AliasChoices("seconds_standalone", "seconds_alone")
    )
    """Of a stage that labels: with an empty ledger; None where it is no such stage, or that is not known."""
    peak_memory_mb: NonNegativeFloat
    started: AwareDatetime
    cached: bool
    """True where the artefact was in the store already."""
    curve: LossCurveData | None = None


class Provenance(CardSection):
    """All stages behind a run, in the order in which they were made."""

    version: Literal[2] = 2
    stages: Annotated[tuple[StageProvenance, ...], Field(max_length=_MOST_STAGES)]

    @field_validator("version", mode="before")
    @classmethod
    def _read_version(cls, value: object) -> object:
        return 2 if value == 1 else value

    def to_json(self) -> bytes:
        """The file: the version and everything that is not as usual."""
        written = {"version": self.version, **self.model_dump(mode="json", exclude_defaults=True)}
        return json.dumps(written, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def curve(
    step: Sequence[int], loss: Sequence[float], held_out: tuple[Sequence[int], Sequence[float]], best_step: int
) -> LossCurveData:
    """A curve of at most `POINTS` points: windows of equal length (the last may be shorter), held-out checks
    likewise."""
    window = max(1, math.ceil(len(step) / POINTS))
    checks = max(1, math.ceil(len(held_out[0]) / POINTS))
    return LossCurveData(
        steps=len(step),
        best_step=best_step,
        window=window,
        step=_last(step, window),
        loss=_means(loss, window),
        held_out_step=_last(held_out[0], checks),
        held_out_loss=_means(held_out[1], checks),
    )


def _last(values: Sequence[int], window: int) -> tuple[int, ...]:
    return tuple(values[min(start + window, len(values)) - 1] for start in range(0, len(values), window))


def _means(values: Sequence[float], window: int) -> tuple[float | None, ...]:
    means = [
        math.fsum(part) / len(part)
        for start in range(0, len(values), window)
        if (part := values[start : start + window])
    ]
    return tuple(float(f"{mean:.6g}") if math.isfinite(mean) else None for mean in means)


def read_provenance(folder: Path) -> Provenance | None:
    """What lies in a result folder; None where it was published without. Raises UserError for a link, a large or
    malformed file."""
    there = [path for path in (folder / PROVENANCE, folder / FORMER_PROVENANCE) if path.is_symlink() or path.exists()]
    if not there:
        return None
    path = there[0]
    try:
        check_file(path)
        return validated_json(Provenance, path.read_bytes(), what="how the run was made", file=path)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(plain(str(error)), file=path) from error
