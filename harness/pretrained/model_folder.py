"""What a model folder says of itself, before anything of it is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness._lazy import lazy
from harness.errors import UserError

safetensors = lazy("safetensors")
transformers_auto = lazy("transformers.models.auto.configuration_auto")

ADAPTER = "adapter_config.json"
CLASSIFIER = "ForSequenceClassification"
GENERATIVE = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
SENTENCE_TRANSFORMERS = "config_sentence_transformers.json"
_NATIVE = "sentence_transformers."
_OTHER_ENCODERS = {
    "SparseEncoder": (".sparse_encoder.", "SpladePooling"),
    "MultiVectorEncoder": (".multi_vector_encoder.", "pylate."),
}
"""Classes of encoders that give no single dense vector, each with what its modules have in their names."""


def read_json(file: Path) -> dict[str, Any]:
    """The mapping in `file`, empty where there is no such file. Raises UserError naming a file that is cut off."""
    found = _read(file, {})
    return found if isinstance(found, dict) else {}


def _read(file: Path, default: Any) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else default
    except ValueError as error:
        raise UserError(
            f"this is no JSON: {error}",
            file=file,
            remedy="the file is cut off or damaged: copy, download or save the model anew",
        ) from error


def is_cross_encoder(folder: Path) -> bool | None:
    """Whether the model reads a query together with a document; None for an encoder that was trained as neither."""
    if saved := read_json(folder / SENTENCE_TRANSFORMERS).get("model_type"):
        return bool(saved == "CrossEncoder")
    if (folder / "modules.json").is_file():
        return False
    heads = read_json(folder / "config.json").get("architectures") or ()
    adapted = read_json(folder / ADAPTER).get("task_type") == "SEQ_CLS"
    return True if adapted or any(head.endswith(CLASSIFIER) for head in heads) else None


def encoder_class(folder: Path) -> str | None:
    """The class of sentence-transformers other than SentenceTransformer and CrossEncoder that the folder was saved
    with, or that reads its form: SparseEncoder or MultiVectorEncoder; None for any other folder."""
    if (saved := read_json(folder / SENTENCE_TRANSFORMERS).get("model_type")) in _OTHER_ENCODERS:
        return str(saved)
    if "HF_ColBERT" in (read_json(folder / "config.json").get("architectures") or ()):
        return "MultiVectorEncoder"
    modules = " ".join(str(module.get("type")) for module in _read(folder / "modules.json", []))
    return next((name for name, marks in _OTHER_ENCODERS.items() if any(mark in modules for mark in marks)), None)


def generates(folder: Path) -> bool:
    """Whether the model was trained to write text: a language model that has no head but its vocabulary."""
    if (folder / "modules.json").is_file():
        return False
    heads = read_json(folder / "config.json").get("architectures") or ()
    return any(str(head).endswith(GENERATIVE) for head in heads)


def adapter_base(folder: Path) -> str | None:
    """The model that an adapter folder of peft is an addition to; None for a whole model."""
    base = read_json(folder / ADAPTER).get("base_model_name_or_path")
    return None if base is None else str(base)


def refuse_foreign_code(folder: Path) -> None:
    """Raises UserError where the model needs code that comes with its folder, which is never run."""
    config = read_json(folder / "config.json")
    code = dict(config.get("auto_map") or {})
    if code and config.get("model_type") not in transformers_auto.CONFIG_MAPPING_NAMES:
        raise _foreign(folder, ", ".join(sorted({str(place) for place in code.values()})))
    modules = _read(folder / "modules.json", [])
    for module in modules:
        if not str(module.get("type", _NATIVE)).startswith(_NATIVE):
            raise _foreign(folder, str(module["type"]))


def _foreign(folder: Path, code: str) -> UserError:
    return UserError(
        f"the model in '{folder}' needs code of its own ({code}), and code out of a model folder is never run",
        remedy="take a model whose architecture transformers and sentence-transformers know themselves",
    )


def damaged_files(folder: Path) -> Iterator[str]:
    """Which files of the folder are cut off, unreadable or missing, in words."""
    for file in sorted(folder.rglob("*.json")):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            yield f"'{file.relative_to(folder)}' is no whole JSON ({error})"
            continue
        if file.name.endswith(".safetensors.index.json"):
            parts = sorted({str(part) for part in found.get("weight_map", {}).values()})
            yield from (f"'{part}' is missing" for part in parts if not (file.parent / part).is_file())
    for file in sorted(folder.rglob("*.safetensors")):
        try:
            with safetensors.safe_open(file, framework="np"):
                pass
        except (safetensors.SafetensorError, OSError) as error:
            yield f"'{file.relative_to(folder)}' is cut off or damaged ({error})"
