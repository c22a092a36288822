"""What a model folder was trained as, from the files that sentence-transformers and transformers wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.pretrained.model_folder import is_cross_encoder

Architecture = Literal["cross-encoder", "bi-encoder", "projection"]


def detect_architecture(folder: Path) -> Architecture | None:
    """None for an encoder that neither library has trained as one of the two."""
    known = is_cross_encoder(folder)
    return None if known is None else "cross-encoder" if known else "bi-encoder"
