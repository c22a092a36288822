"""A package as if it were installed: importable, and found through its entry point; gone again afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import plugins as plugin_module
from harness.plugins import Plugin, plugins

Lookup = Callable[[type[Plugin]], type[Plugin]]


@contextmanager
def installed(place: Path, group: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lookup]:
    """`place` is the package's folder; gives what finds its plug-in by the name of the package."""
    name, real = place.name, plugin_module.entry_points
    point = EntryPoint(name, name, group)
    # As those of installed packages have it.
    vars(point)["dist"] = SimpleNamespace(name=name)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(place / "src"))
        patch.setattr(
            plugin_module,
            "entry_points",
            lambda group: [*real(group=group), *([point] if group == point.group else [])],
        )
        plugins.cache_clear()
        try:
            yield lambda kind: plugins(kind)[name]
        finally:
            for module in [module for module in sys.modules if module.partition(".")[0] == name]:
                del sys.modules[module]
    plugins.cache_clear()
