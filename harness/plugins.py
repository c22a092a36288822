"""Finding teachers, methods, losses and collection sources: one file with one class each, here or in anybody's package.

An entry point of group ``harness.<kind>`` names a package or module; every concrete `Plugin` of that kind inside is
found, so a new file in the package is enough; without a package, a file that somebody names is (plugin_files.py).
Names, help texts and lists come from the class attributes. What cannot be used is left out with a warning
(plugin_faults.py): one broken plug-in costs nobody the others.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict

from harness.errors import UserError, did_you_mean
from harness.plugin_code.plugin_guard import plugin_guard
from harness.plugin_faults import PluginFault, clash, does_not_load, outdated, unfinished
from harness.plugin_files import file_points, is_plugin_file, load_files, load_named_files, plugin_timeout
from harness.shipped import OURS, importable

if sys.version_info >= (3, 14):
    import annotationlib


class Settings(BaseModel):
    """Base of every settings model: unknown keys are errors, values do not change after loading.

    >>> import harness
    >>> class Cut(harness.Settings):
    ...     first: int = 2
    >>> Cut(first=3).first
    3
    >>> Cut(frist=3)
    Traceback (most recent call last):
        ...
    pydantic_core._pydantic_core.ValidationError: ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Plugin(ABC):
    """What every extension says of itself; lists, help and docs are made from these attributes."""

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str] = ""
    """The paper or project it comes from (arXiv id, URL), empty for our own."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What it must be given: order, likelihoods, attention, cross-attention, text, gold labels, answers."""
    Settings: ClassVar[type[Settings]] = Settings
    """The model of its settings: what `settings` is annotated with, unless the class says otherwise."""
    former_names: ClassVar[Mapping[str, str]] = {"group": "entry_point_group"}
    """Attributes that 0.1 had under another name, with that of today; a class that still says one is refused."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "Settings" not in vars(cls) and (declared := _declared_settings(cls)) is not None:
            cls.Settings = declared


def _declared_settings(kind: type) -> type[Settings] | None:
    """What the class itself, not a base, annotates `settings` with. Raises TypeError where that is not defined yet."""
    annotation = _annotations(kind).get("settings")
    if annotation is None:
        return None
    known = vars(sys.modules[kind.__module__])
    try:
        resolved = get_type_hints(SimpleNamespace(__annotations__={"settings": annotation}), known, dict(vars(kind)))[
            "settings"
        ]
    except NameError as error:
        raise TypeError(
            f"the settings of {kind.__name__} are of '{annotation}', which is not defined above the class"
        ) from error
    return resolved if inspect.isclass(resolved) and issubclass(resolved, Settings) else None


def _annotations(kind: type) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        # Names that only type checkers import stay names.
        return annotationlib.get_annotations(kind, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(kind)


P = TypeVar("P", bound=Plugin)


class PluginIndex(dict[str, type[P]]):
    """Plug-ins of a kind by name; `faults` are those that cannot be used."""

    def __init__(self, usable: Mapping[str, type[P]], faults: tuple[PluginFault, ...] = ()) -> None:
        super().__init__(usable)
        self.faults = faults


def _modules(point: EntryPoint, faults: list[PluginFault]) -> Iterator[ModuleType]:
    """The modules below an entry point, but for those that do not load."""
    names = [importable(point.module)]
    while names:
        name = names.pop(0)
        try:
            with nullcontext() if name.partition(".")[0] in OURS else plugin_guard(plugin_timeout()):
                module = importlib.import_module(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            faults.append(does_not_load(point, name, error))
            continue
        yield module
        inside = pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}.")
        names += [info.name for info in inside if not info.name.rpartition(".")[2].startswith("_")]


def _classes(module: ModuleType, kind: type[P]) -> Iterator[type[P]]:
    """Classes of that kind which the module defines and which have a name of their own, or none at all."""
    for value in list(vars(module).values()):
        if not (inspect.isclass(value) and issubclass(value, kind)) or value.__module__ != module.__name__:
            continue
        nameless = not hasattr(value, "name") and not inspect.isabstract(value) and not value.__name__.startswith("_")
        if "name" in vars(value) or nameless:
            yield value


def use_plugin_files(files: Iterable[Path]) -> None:
    """Find the plug-ins of these files, too, from now on and in processes that this one starts. Raises UserError."""
    if load_files(files):
        plugins.cache_clear()


def _preferred(classes: dict[type[P], EntryPoint]) -> dict[type[P], EntryPoint]:
    """Of several files that define a name the one that was named last counts, and before installed packages."""
    named = [kind for kind in classes if is_plugin_file(kind.__module__)]
    strangers = [kind for kind in classes if not _is_ours(kind)]
    return {kind: point for kind, point in classes.items() if not named or kind is named[-1] or kind not in strangers}


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in OURS


@cache
def plugins(kind: type[P]) -> PluginIndex[P]:
    """All usable plugins of a kind, by name. `kind` declares its ``entry_point_group``.

    What is wrong with those that cannot be used is told on stderr, once a process.
    """
    load_named_files()
    faults: list[PluginFault] = []
    claims: dict[str, dict[type[P], EntryPoint]] = {}
    group = str(kind.entry_point_group)  # type: ignore[attr-defined]
    for point in (*entry_points(group=group), *file_points(group)):
        for module in _modules(point, faults):
            for value in _classes(module, kind):
                if fault := outdated(point, value, value.former_names) or unfinished(point, value):
                    faults.append(fault)
                else:
                    claims.setdefault(value.name, {})[value] = point
    usable = {}
    for name, claimants in sorted(claims.items()):
        classes = _preferred(claimants)
        # What is here keeps its name; of two strangers neither gets it, since nobody could say which one ran.
        ours = [value for value in classes if _is_ours(value)]
        if len(classes) == 1 or len(ours) == 1:
            usable[name] = (ours or list(classes))[0]
        if len(classes) > 1:
            faults.append(clash(name, classes, ours_wins=bool(ours)))
    for fault in faults:
        print(f"warning: {fault.error}", file=sys.stderr)
    return PluginIndex(usable, tuple(faults))


def plugin(kind: type[P], name: str) -> type[P]:
    """The plugin of that name. Raises UserError with what is wrong with it, or with the nearest known name."""
    known = plugins(kind)
    if name not in known:
        raise refusal(known, name) or UserError(
            f"unknown {kind.__name__.lower()} '{name}'", remedy=did_you_mean(name, known)
        )
    return known[name]


def refusal(known: Mapping[str, type[P]], name: str) -> UserError | None:
    """Why the plug-in of that name, which is not among the `known`, cannot be used though it is installed; None where
    nothing is known."""
    faults = known.faults if isinstance(known, PluginIndex) else ()
    return next((fault.asked_for(name) for fault in faults if name in fault.names), None)
