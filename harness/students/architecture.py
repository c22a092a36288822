"""What a model folder was trained as, from the files that sentence-transformers and transformers wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

Architecture = Literal["cross-encoder", "bi-encoder", "projection"]


def detect_architecture(folder: Path) -> Architecture | None:
    """None for an encoder that neither library has trained as one of the two."""
    if saved := read_json(folder / "config_sentence_transformers.json").get("model_type"):
        return "cross-encoder" if saved == "CrossEncoder" else "bi-encoder"
    if (folder / "modules.json").is_file():
        return "bi-encoder"
    heads = read_json(folder / "config.json").get("architectures") or ()
    return "cross-encoder" if any(head.endswith("ForSequenceClassification") for head in heads) else None


def read_json(file: Path) -> dict[str, Any]:
    """The mapping in `file`, empty where there is no such file."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found
