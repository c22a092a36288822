"""Stages for other machines: a model goes by its name and the hash of its files, never by its folder here."""

from __future__ import annotations

import io
import pickle
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.models import ModelFiles, resolve_model
from harness.stage import Stage

cloudpickle = lazy("ray.cloudpickle")


def dump_stages(stages: Mapping[str, Stage]) -> bytes:
    """`stages` by key, for `load_stages` elsewhere."""

    pickler: Any = cloudpickle.Pickler

    class GraphPickler(pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, ModelFiles):
                return located, (value.name, value.path, value.gguf, value.identity)
            return super().reducer_override(value)

    stream = io.BytesIO()
    GraphPickler(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(dict(stages))
    return stream.getvalue()


def load_stages(content: bytes) -> dict[str, Stage]:
    """What `dump_stages` was given. Raises UserError where a model is not here, or is another one."""
    found: dict[str, Stage] = pickle.loads(content)
    return found


def located(name: str, path: Path, gguf: str | None, identity: str) -> ModelFiles:
    """The model on this machine: what a package carries is looked for by its name, all else first at the same place."""
    is_placed = not name.startswith("bundled:") and path.is_dir()
    found = ModelFiles(name, path, gguf) if is_placed else resolve_model(name)
    if found.identity != identity:
        raise UserError(
            f"the model '{name}' has the hash {found.identity[:12]} on {socket.gethostname()}, and {identity[:12]} "
            "where the sweep was planned",
            remedy="install the same model on every node, or put it on storage that all see",
        )
    return found
