"""What can be wrong with an installed plug-in, told with its package, file and line."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from harness.errors import UserError
from harness.plugin_code.plugin_words import cause, import_remedy
from harness.shipped import OURS


@dataclass(frozen=True)
class PluginFault:
    """A plug-in that cannot be used: the names it is asked for by, and what is wrong."""

    names: frozenset[str]
    error: UserError

    def asked_for(self, name: str) -> UserError:
        """The error for whoever asks for it by `name`."""
        told = self.error
        return UserError(
            f"'{name}' is installed but cannot be used: {told.message}", told.file, told.line, told.key, told.remedy
        )


def does_not_load(point: EntryPoint, module: str, error: BaseException) -> PluginFault:
    """The module of an entry point, or one below it, raised `error` when it was imported."""
    file, line = place_in_plugin(module, error)
    message = f"{_origin(point)} does not load: {cause(error)}"
    names = frozenset({point.name, *module.split(".")} - OURS)
    remedy = import_remedy(error, file) or "mend or uninstall it; everything else works without it"
    return PluginFault(names, UserError(message, file, line, remedy=remedy))


def place_in_plugin(module: str, error: BaseException) -> tuple[str | None, int | None]:
    """File and line: that of the syntax error, or the last one of the plug-in's own on the way to what was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    steps = traceback.walk_tb(error.__traceback__)
    ran = [(str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename, line) for frame, line in steps]
    top = module.partition(".")[0]
    own = [(file, line) for name, file, line in ran if name.partition(".")[0] == top and name != "harness.plugins"]
    # Nothing of the plug-in ran where its entry point names a module that is not there.
    return own[-1] if own else (None, None)


def _origin(point: EntryPoint) -> str:
    """What it came with; plug-ins of one file have entry points without a distribution."""
    return f"the plug-in package '{point.dist.name}'" if point.dist else f"the plug-in file '{point.module}'"


def _or_away(point: EntryPoint) -> str:
    return "or uninstall the package" if point.dist else "or leave the file out"


def outdated(point: EntryPoint, kind: type, former_names: Mapping[str, str]) -> PluginFault | None:
    """The class of a plug-in that says something by the name it had before; None when it says nothing so."""
    former = [name for name in former_names if any(isinstance(vars(base).get(name), str) for base in kind.__mro__)]
    if not former:
        return None
    renamed = " and ".join(f"`{name}` is `{former_names[name]}` since 0.2" for name in former)
    message = f"the class {kind.__name__} of {_origin(point)} was written for 0.1: {renamed}"
    return _refused(point, kind, message, f"rename it in the class, {_or_away(point)}")


def unfinished(point: EntryPoint, kind: type) -> PluginFault | None:
    """The class of a plug-in that lacks methods or attributes; None when it has all."""
    methods = sorted(getattr(kind, "__abstractmethods__", ()))
    attributes = sorted(
        name
        for base in kind.__mro__
        for name, what in vars(base).get("__annotations__", {}).items()
        if "ClassVar" in str(what) and not hasattr(kind, name)
    )
    if not methods and not attributes:
        return None
    lacks = [f"the method '{name}'" for name in methods] + [f"the attribute '{name}'" for name in attributes]
    message = f"the class {kind.__name__} of {_origin(point)} lacks {' and '.join(lacks)}"
    return _refused(point, kind, message, f"define it in the class, exactly so spelt, {_or_away(point)}")


def _refused(point: EntryPoint, kind: type, message: str, remedy: str) -> PluginFault:
    file, line = _defined(kind)
    name = getattr(kind, "name", None)
    names = frozenset({str(name)} if name else {point.name, kind.__module__.rpartition(".")[2]})
    return PluginFault(names, UserError(message, file, line, remedy=remedy))


def _defined(kind: type) -> tuple[str | None, int | None]:
    try:
        return inspect.getsourcefile(kind), inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):
        return None, None


def clash(name: str, classes: Iterable[type], ours_wins: bool) -> PluginFault:
    """Several classes of one name; `ours_wins` where one of them is the project's own."""
    modules = " and ".join(sorted(f"{kind.__module__}.{kind.__name__}" for kind in classes))
    told = "the harness's own is used" if ours_wins else "none is used"
    return PluginFault(
        frozenset({name}),
        UserError(f"{modules} all call themselves '{name}'; {told}", remedy="give each a name of its own"),
    )
