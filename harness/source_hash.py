"""A mark of the code behind classes of plug-ins, for keys: what an edited plug-in made before is not what it makes now.

Classes of this project have none; their stages say by `version` when what comes out changes, and their keys stay as
they are.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from harness.shipped import OURS as _OURS


@cache
def source_hash(*kinds: type) -> str | None:
    """sha256 in hex over the source behind those of `kinds` that are defined outside this project; None where all are
    of it.

    The source is every ``.py`` file of the class's top-level package or module, of its bases' up to the first of this
    project, and of whatever else the same plug-in distribution installs. Computed once a class: code that a process has
    imported does not change in it.
    """
    marks = sorted({mark for kind in kinds if (mark := _mark(kind)) is not None})
    return hashlib.sha256(" ".join(marks).encode()).hexdigest() if marks else None


def is_foreign(kind: type) -> bool:
    """Whether a class is defined outside this project and what comes with Python: by a plug-in."""
    return _top(kind) not in _OURS and _top(kind) not in sys.stdlib_module_names


@cache
def _mark(kind: type) -> str | None:
    hashes = sorted({f"{name} {_sha256(file)}" for top in _tops(kind) for name, file in _files(top)})
    if not hashes and _top(kind) not in _OURS:
        hashes = _typed(kind)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest() if hashes else None


def _tops(kind: type) -> set[str]:
    """Top-level modules of the class and of its bases before the first of this project, with those installed beside
    them."""
    tops = [_top(base) for base in kind.__mro__]
    ours = next((place for place, top in enumerate(tops) if top in _OURS), 1)
    return {other for top in tops[:ours] for other in (top, *_installed_with(top))}


def _top(kind: type) -> str:
    name = kind.__module__
    if name == "__main__" and (spec := getattr(sys.modules[name], "__spec__", None)) is not None:
        # What `python -m` runs; imported by another process it has its own name.
        name = spec.name
    return name.partition(".")[0]


@cache
def _installed_with(top: str) -> tuple[str, ...]:
    """Other top-level modules that the plug-in distribution of the module `top` installs, as setuptools lists them."""
    groups = [group for group in entry_points().groups if group.startswith("harness.")]
    points = [point for group in groups for point in entry_points(group=group) if point.module.partition(".")[0] == top]
    texts = [point.dist.read_text("top_level.txt") for point in points if point.dist]
    return tuple(name for text in texts for name in (text or "").split() if name not in _OURS)


def _files(top: str) -> Iterator[tuple[str, Path]]:
    """The ``.py`` files of a top-level module by their names, wherever they lie; none where it was typed in or is not
    of Python."""
    module = sys.modules.get(top)
    spec = None if module is not None else find_spec(top)
    folders = getattr(module, "__path__", None) or (spec.submodule_search_locations if spec else None)
    if folders:
        for folder in map(Path, folders):
            yield from ((f"{top}/{file.relative_to(folder).as_posix()}", file) for file in folder.rglob("*.py"))
        return
    origin = getattr(module, "__file__", None) or (spec.origin if spec else None)
    if origin and Path(origin).is_file():
        yield Path(origin).name, Path(origin)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _typed(kind: type) -> list[str]:
    """The class alone, where a notebook keeps its text."""
    try:
        return [inspect.getsource(kind)]
    except (OSError, TypeError):
        return []
