"""A checkpoint: a training that was killed goes on where it last stood and ends with the same bits.

It is one safetensors file whose metadata hold JSON: nothing is unpickled. It is written beside its place, synced and
renamed, so that a file with its name is complete; a digest tells whether it still is.
"""

from __future__ import annotations

import hashlib
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness._lazy import lazy
from harness._version import __version__
from harness.files import atomic_file, leftovers

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")

safetensors_torch = lazy("safetensors.torch")
safetensors = lazy("safetensors")

FORMAT = 1
SECONDS = 60.0
"""Training time between two checkpoints."""
_SHARE = 0.05
"""Most of the time that goes into writing: where that is slow, checkpoints are rarer."""


class CheckpointData(NamedTuple):
    """All that a training needs to go on: tensors by name, and what JSON can say."""

    tensors: dict[str, torch.Tensor]
    values: dict[str, Any]


class Checkpoint:
    """The checkpoint of one training; the caller sees to it that no other writes the same `file`."""

    def __init__(self, file: Path, writes: bool = True) -> None:
        """One that does not write only starts from there."""
        self.file = file
        self.writes = writes
        self._pause = SECONDS
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the last save, or the start, is long enough ago."""
        return self.writes and time.monotonic() - self._last >= self._pause

    def save(self, data: CheckpointData) -> None:
        """Takes the place of the last checkpoint, or leaves that as it was."""
        start = time.monotonic()
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in data.tensors.items()}
        values = json.dumps({"made_by": _fingerprint(), "values": data.values})
        with atomic_file(self.file) as fresh:
            safetensors_torch.save_file(tensors, fresh, {"told": values, "digest": _digest(tensors, values)})
        self._last = time.monotonic()
        self._pause = max(SECONDS, (self._last - start) / _SHARE)

    def load(self) -> CheckpointData | None:
        """What was saved last; None where there is nothing, or it is damaged, or other versions wrote it."""
        try:
            with safetensors.safe_open(self.file, framework="pt") as stream:
                notes = stream.metadata() or {}
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
            values = json.loads(notes["told"])
            is_valid = notes["digest"] == _digest(tensors, notes["told"]) and values["made_by"] == _fingerprint()
            return CheckpointData(tensors, values["values"]) if is_valid else None
        except (OSError, safetensors.SafetensorError, ValueError, KeyError):
            return None

    def remove(self) -> None:
        """Forgets what was saved: the training is over."""
        for file in (self.file, *leftovers(self.file)):
            file.unlink(missing_ok=True)


def _fingerprint() -> dict[str, Any]:
    """What must be the same for the rest of a training to give the bits that it would have given."""
    return {
        "format": FORMAT,
        "harness": __version__,
        "torch": version("torch"),
        "transformers": version("transformers"),
    }


def _digest(tensors: dict[str, torch.Tensor], values: str) -> str:
    digest = hashlib.sha256(values.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {list(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
