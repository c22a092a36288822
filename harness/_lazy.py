"""Heavy libraries at the top of a file that start only when something of them is used, so that `harness --help` waits
for none."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class _Lazy(ModuleType):
    """Stands for a module until its first attribute is asked for."""

    def __getattr__(self, name: str) -> Any:
        module = import_module(self.__name__)
        if not hasattr(module, name) and not name.startswith("_") and find_spec(f"{self.__name__}.{name}"):
            # A part that its package does not load by itself.
            return import_module(f"{self.__name__}.{name}")
        return getattr(module, name)


def lazy(name: str) -> Any:
    """The module of that dotted name, imported with the first use of it. For type hints import it under TYPE_CHECKING
    too."""
    return _Lazy(name)
