"""Plug-ins of one file, without a package: loaded by their path, and found like those of installed packages.

The files that were named stand in ``HARNESS_PLUGINS`` (absolute, parted as in ``PATH``), so that processes that a sweep
starts know them too.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import os
import sys
import traceback
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

from harness.errors import UserError
from harness.files import sha256
from harness.plugin_code.plugin_guard import plugin_guard
from harness.plugin_code.plugin_words import cause, import_remedy

VARIABLE = "HARNESS_PLUGINS"
_RIGHT = "give a Python file with a class of a plug-in, for example one that `harness new` writes"

TIMEOUT = "HARNESS_PLUGIN_TIMEOUT"
_DEFAULT_TIMEOUT = 120.0
"""Seconds; heavy libraries take long to load from a cold disk."""

_files: dict[str, tuple[Path, str]] = {}
"""Path and content hash of what was loaded, by name of the module; the latest last."""
_modules: dict[str, None] = {}


def plugin_timeout() -> float:
    """Seconds that a plug-in has to load, and to plan where a sweep file does not say: ``HARNESS_PLUGIN_TIMEOUT``, or
    two minutes. Raises UserError."""
    told = os.environ.get(TIMEOUT)
    try:
        seconds = float(told) if told else _DEFAULT_TIMEOUT
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UserError(f"{TIMEOUT} is '{told}'", remedy="give seconds, for example 300")
    return seconds


def load_files(files: Iterable[Path]) -> bool:
    """Load these files and name them to processes to come; whether any of them is new or has changed. Raises UserError
    where one is absent, does not load, or holds no plug-in."""
    changed = [_load(file) for file in files]
    return any(changed)


def load_named_files() -> bool:
    """The same with those that ``HARNESS_PLUGINS`` names."""
    return load_files(Path(name) for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name)


def search_modules(names: Iterable[str]) -> None:
    """Look for plug-ins in these modules, too: those that a process found which started this one."""
    _modules.update(dict.fromkeys(names))


def file_points(group: str) -> list[EntryPoint]:
    """An entry point of `group` for every file that was loaded, the latest last, and every module to search."""
    return [EntryPoint(name, name, group) for name in {**_modules, **_files}]


def is_plugin_file(module: str) -> bool:
    """Whether the module was loaded from a file that somebody named."""
    return module in _files


def _load(path: Path) -> bool:
    if not path.is_file() or path.suffix != ".py":
        raise UserError("there is no such plug-in file", file=path, remedy=_RIGHT)
    path, name = path.resolve(), path.stem
    if _files.get(name) == (mark := (path, sha256(path))) and name in sys.modules:
        return False
    _check_name(name, path)
    _execute(name, path)
    _files.pop(name, None)
    _files[name] = mark
    named = [one for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one and Path(one).stem != name]
    os.environ[VARIABLE] = os.pathsep.join([*named, str(path)])
    return True


def _check_name(name: str, path: Path) -> None:
    """A file goes by its name in keys and in other processes, and must not stand for another module."""
    if not name.isidentifier():
        raise UserError("a plug-in file needs the name of a Python module", path, remedy="letters, digits and _ only")
    spec = None if name in _files else importlib.util.find_spec(name)
    if spec is None or any(path.is_relative_to(Path(place).resolve()) for place in _bare_folders(spec)):
        return
    if spec.origin is None or Path(spec.origin).resolve() != path:
        raise UserError(f"there is another module '{name}' here ({spec.origin})", path, remedy="rename the file")


def _execute(name: str, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module, before = importlib.util.module_from_spec(spec), sys.modules.get(name)
    sys.modules[name] = module
    try:
        with plugin_guard(plugin_timeout()):
            spec.loader.exec_module(module)
        if not any(_is_plugin(value, module) for value in vars(module).values()):
            raise UserError("the plug-in file holds no plug-in", path, remedy=_RIGHT)
    except BaseException as error:
        _restore(name, before)
        if isinstance(error, (UserError, KeyboardInterrupt)):
            raise
        message = f"the plug-in file does not load: {cause(error)}"
        remedy = import_remedy(error, path) or "mend the file"
        raise UserError(message, path, _line(path, error), remedy=remedy) from error


def _restore(name: str, before: ModuleType | None) -> None:
    sys.modules.pop(name)
    if before is not None:
        sys.modules[name] = before


def _is_plugin(value: object, module: ModuleType) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__ and hasattr(value, "entry_point_group")


def _line(path: Path, error: BaseException) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    steps = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == str(path)]
    return steps[-1] if steps else None


def _bare_folders(spec: ModuleSpec) -> list[str]:
    """The folders that Python would take for the module for want of any code: such as the one of a new package, named
    as the file in it, where that lies in the working directory."""
    return list(spec.submodule_search_locations or ()) if spec.origin is None else []
