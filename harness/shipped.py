"""What stands beside this package: in the repository in folders of their own, in a wheel under names that no user has
(setup.py puts it there)."""

from __future__ import annotations

from pathlib import Path

_CARRIED = Path(__file__).with_name("_carried")
_IN_WHEEL = _CARRIED.is_dir()
_METHODS = "harness_baselines"


def importable(module: str) -> str:
    """The name by which a package of an entry point is imported: those of ours are called after their folders in the
    repository."""
    return module if _IN_WHEEL or module != _METHODS else module.removeprefix("harness_")


OURS = frozenset({"harness", importable(_METHODS)})
"""The packages of this project in which classes of plug-ins are."""


def carried(name: str) -> Path:
    """Where a file or folder of the repository's root is that comes with this package."""
    return (_CARRIED if _IN_WHEEL else Path(__file__).parents[1]) / name
