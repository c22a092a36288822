"""Loss curves: what happened at each optimiser step, written beside the weights for the board."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "losses.json"
_FILE_KEYS = {"saved_step": "kept"}
"""Keys in ``losses.json`` and in checkpoints where they differ from the names of the fields."""


@dataclass
class History:
    """One number an optimiser step in `step` (from 1), `epoch` (from 0), `loss` and `learning_rate`; one a check in the
    held-out ones."""

    step: list[int] = field(default_factory=list)
    epoch: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    held_out_step: list[int] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    saved_step: int = 0
    """The step whose weights are saved: the last, or the one with the smallest held-out loss."""

    def add_step(self, epoch: int, loss: float, learning_rate: float) -> None:
        """One more optimiser step; its weights are the ones to save so far."""
        self.step.append(len(self.step) + 1)
        self.epoch.append(epoch)
        self.loss.append(loss)
        self.learning_rate.append(learning_rate)
        self.saved_step = len(self.step)

    def add_check(self, loss: float) -> None:
        """The loss on the held-out lists after the last step."""
        self.held_out_step.append(self.step[-1])
        self.held_out_loss.append(loss)

    def write(self, folder: Path) -> None:
        """``losses.json`` in `folder`."""
        (folder / FILE).write_text(json.dumps(self.to_json()), encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """The fields under the keys of ``losses.json``."""
        return {_FILE_KEYS.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> History:
        """Of what `to_json` gave. Raises TypeError or ValueError for anything else."""
        names = {key: name for name, key in _FILE_KEYS.items()}
        return cls(**{names.get(key, key): value for key, value in dict(values).items()})
