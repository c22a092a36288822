"""Finding teachers, methods, losses and collection sources: one file with one class each, here or in anybody's package.

An entry point of group ``harness.<kind>`` names a package or module; every concrete `Plugin` of that kind inside is found, so a
new file in the package is enough. Names, help texts and lists come from the class attributes.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from abc import ABC
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from harness.errors import UserError, did_you_mean


class Settings(BaseModel):
    """Base of every settings model: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Plugin(ABC):
    """What every extension says of itself; lists, help and docs are made from these attributes."""

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str] = ""
    """The paper or project it comes from (arXiv id, URL), empty for our own."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What it must be given, in words of DESIGN: order, likelihoods, attention, gold labels, answers."""
    Settings: ClassVar[type[Settings]] = Settings


P = TypeVar("P", bound=Plugin)


def _modules(target: ModuleType) -> Iterator[ModuleType]:
    yield target
    for info in pkgutil.walk_packages(getattr(target, "__path__", ()), f"{target.__name__}."):
        if not info.name.rpartition(".")[2].startswith("_"):
            yield importlib.import_module(info.name)


@cache
def plugins(kind: type[P]) -> dict[str, type[P]]:
    """All concrete plugins of a kind, by name. `kind` declares its entry point group as ``group``.

    Raises UserError when two classes claim one name or a plug-in package cannot be imported.
    """
    found: dict[str, type[P]] = {}
    for point in entry_points(group=str(kind.group)):  # type: ignore[attr-defined]
        try:
            modules = list(_modules(importlib.import_module(point.value)))
        except ImportError as error:
            raise UserError(f"plug-in package '{point.value}' does not import: {error}", remedy="reinstall or remove it") from error
        for module in modules:
            for value in vars(module).values():
                if not (inspect.isclass(value) and issubclass(value, kind)) or value.__module__ != module.__name__:
                    continue
                if inspect.isabstract(value) or "name" not in vars(value):
                    continue
                other = found.setdefault(value.name, value)
                if other is not value:
                    raise UserError(f"{other.__module__} and {value.__module__} both call themselves '{value.name}'")
    return dict(sorted(found.items()))


def plugin(kind: type[P], name: str) -> type[P]:
    """The plugin of that name. Raises UserError with the nearest known name."""
    known = plugins(kind)
    if name not in known:
        raise UserError(f"unknown {kind.__name__.lower()} '{name}'", remedy=did_you_mean(name, known))
    return known[name]
