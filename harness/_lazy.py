"""Heavy libraries at the top of a file that start only when something of them is used, so that `harness --help` waits for none."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any


class _Lazy(ModuleType):
    """Stands for a module until its first attribute is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def lazy(name: str) -> Any:
    """The module of that dotted name, imported with the first use of it. For type hints import it under TYPE_CHECKING too."""
    return _Lazy(name)
