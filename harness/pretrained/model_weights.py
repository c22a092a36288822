"""Which files of a model folder count: what loading reads, and of several forms of the weights one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatch
from pathlib import PurePosixPath

from harness.errors import UserError

READ = (".json", ".safetensors", ".txt", ".model", ".gguf", ".jinja")
"""What a model is made of; anything else in its folder (pickles, pictures) is neither loaded nor hashed."""
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
OTHER_RUNTIMES = frozenset({"onnx", "openvino", "coreml"})
"""Folders in which repositories keep copies of the model that other programs run."""
_LEFT_BY_TRAINERS = ("trainer_state.json", "*_results.json")
NOT_QUANTISED = [f"*{suffix}" for suffix in READ if suffix != ".gguf"]
LEFT_OUT = [
    f"{above}{part}" for above in ("", "*/") for part in (*(f"{one}/*" for one in OTHER_RUNTIMES), *_LEFT_BY_TRAINERS)
]
"""Patterns of what counts, whatever the form of the weights, and of what never does: for a hub that cannot be asked."""
QUANTISATIONS = ("Q4_K_M", "Q8_0", "Q6_K", "Q5_K_M", "Q4_0", "Q4_1", "F16", "BF16", "F32")
"""Which of several GGUF files is taken: the first that is there, as llama.cpp begins with Q4_K_M."""


def counts(file: str, files: Collection[str]) -> bool:
    """Whether the model is another one when `file`, one of `files` (paths in the folder), changes."""
    path = PurePosixPath(file)
    if path.suffix not in READ or any(part.startswith(".") or part in OTHER_RUNTIMES for part in path.parts[:-1]):
        return False
    if path.suffix == ".gguf" and any(other.endswith(".safetensors") for other in files):
        return False
    return not any(fnmatch(path.name, pattern) for pattern in _LEFT_BY_TRAINERS)


def chosen_gguf(files: Sequence[str]) -> str | None:
    """The GGUF file that is the model; None where there are safetensors, or no GGUF."""
    quantised = sorted(file for file in files if file.endswith(".gguf") and "mmproj" not in file)
    if not quantised or any(file.endswith(".safetensors") for file in files):
        return None
    named = (file for one in QUANTISATIONS for file in quantised if one.lower() in file.lower())
    return next(named, quantised[0])


def require_weights(place: str, files: Collection[str]) -> None:
    """Raises UserError where the only weights among `files` are pickles, which could run anything."""
    if any(file.endswith((".safetensors", ".gguf")) for file in files):
        return
    pickles = sorted(
        file for file in files if file.endswith(PICKLES) and PurePosixPath(file).name != "training_args.bin"
    )
    if pickles:
        raise UserError(
            f"{place} holds its weights as {pickles[0]} only, a form that can run code when it is read and is never "
            "loaded",
            remedy="load it in a place you trust and save it with save_pretrained (safetensors), or name a revision "
            "that has model.safetensors (owner/name@refs/pr/N)",
        )
