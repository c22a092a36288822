"""A first sweep file for a collection: small, annotated, and fitted to what the collection has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import yaml

from harness.collections.collection import Collection, CollectionSource
from harness.collections.crops import HUMAN
from harness.collections.pool import training_pool
from harness.errors import UserError
from harness.examples import example, with_parents
from harness.plugins import plugins
from harness.text import plain

_BUDGET, _POOL = 100, 1_000
_ENGINES = ("bm25s", "dense:bundled:minilm-l6")
_LARGE = 50_000
"""Documents from which on a first look leaves out the encoder in the first stage, which would read all of them."""


def collection_spec(text: str, base: Path) -> str | Mapping[str, Any]:
    """What a sweep file in `base` says for the collection that people name: a folder by its path, else a name."""
    folder = Path(text).expanduser()
    if not folder.is_dir() or text.partition("/")[0] in plugins(CollectionSource):
        return text
    return {"folder": str(folder if folder.is_absolute() else os.path.relpath(folder, base))}


def starter_sweep(file: Path, spec: str | Mapping[str, Any], collection: Collection) -> str:
    """The text of a sweep file for `collection`, which it names as `spec`. Raises UserError where the collection has no
    split to evaluate on, or nothing to train on."""
    split = _evaluated(collection)
    sources = [HUMAN] if HUMAN in collection.splits else []
    sources += ["titles"] if next(collection.titles(), None) else []
    sources = [*sources, "sentences"] if sources != [HUMAN] else sources
    size = sum(1 for _ in training_pool(collection, tuple(sources), _POOL).rows())
    if size < 2:
        raise UserError(f"the collection '{collection.name}' has nothing to train on: no queries, titles or sentences")
    engines = _ENGINES[: 1 if len(collection.corpus) > _LARGE else None]
    words = {
        "file": file.as_posix(),
        "name": plain(collection.name),
        "collection": _flow(spec),
        "documents": f"{len(collection.corpus):,}",
        "splits": ", ".join(collection.splits),
        "sources": ", ".join(sources),
        "queries": _flow(sources),
        "engine": _flow(list(engines)),
        "supervised": "  - {method: supervised, learning_rate: 0.001}\n" if HUMAN in sources else "",
        "pool": size,
        "budget": min(_BUDGET, size),
        "split": split,
    }
    template = resources.files(__package__).joinpath("templates", "sweep", "sweep.yaml.txt").read_text(encoding="utf-8")
    return Template(template).substitute(words)


def _evaluated(collection: Collection) -> str:
    held_out = [split for split in collection.splits if split != HUMAN]
    if not held_out:
        raise UserError(
            f"the collection '{collection.name}' has no split to evaluate on beside train",
            remedy="add qrels/test.tsv, whose queries no training sees",
        )
    return "test" if "test" in held_out else held_out[-1]


def _flow(value: Any) -> str:
    """`value` as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def write_new(file: Path, text: str) -> None:
    """Write a file that is not there. Raises UserError when something is."""
    refuse_existing(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from error


def refuse_existing(file: Path) -> None:
    """Raises UserError when something is there."""
    if file.exists():
        raise UserError("is there already; nothing was written", file=file, remedy="give another name")


def copy_example(name: str, folder: Path) -> list[Path]:
    """Copy an example with the files that it extends into `folder`; the copies, the example first. Raises UserError
    when there is no such example, or a file is there already; then nothing is written."""
    files = {folder / file.name: file for file in with_parents(example(name))}
    for place in files:
        refuse_existing(place)
    folder.mkdir(parents=True, exist_ok=True)
    for place, file in files.items():
        shutil.copyfile(file, place)
    return list(files)
