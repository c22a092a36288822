"""Loss curves: what happened at each optimiser step, kept beside the weights for the board."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE = "losses.json"


@dataclass
class History:
    """One number an optimiser step in `step` (from 1), `epoch` (from 0), `loss` and `learning_rate`; one a check in the held-out ones."""

    step: list[int] = field(default_factory=list)
    epoch: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    held_out_step: list[int] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    kept: int = 0
    """The step whose weights were saved: the last, or the one with the smallest held-out loss."""

    def add(self, epoch: int, loss: float, learning_rate: float) -> None:
        """One more optimiser step; its weights are the ones to keep so far."""
        self.step.append(len(self.step) + 1)
        self.epoch.append(epoch)
        self.loss.append(loss)
        self.learning_rate.append(learning_rate)
        self.kept = len(self.step)

    def check(self, loss: float) -> None:
        """The loss on the held-out lists after the last step."""
        self.held_out_step.append(self.step[-1])
        self.held_out_loss.append(loss)

    def write(self, folder: Path) -> None:
        """``losses.json`` in `folder`."""
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")
