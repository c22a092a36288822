"""What a plug-in raised while it was asked about a query, in words that may stand in its label."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.masking import masked
from harness.plugin_faults import place_in_plugin


def error_words(kind: type, error: Exception) -> str:
    """Like ``ValueError: no such word (words.py, line 12)``: what went wrong, without secrets, and where in the plug-in
    of the class `kind`."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    file, line = place_in_plugin(kind.__module__, error)
    return masked(said)[:500] + (f" ({_in_package(file, kind.__module__)}, line {line})" if file else "")


def _in_package(file: str, module: str) -> str:
    """The file from its package on: labels are published, and folders of a machine are nobody else's business."""
    top = sys.modules.get(module.partition(".")[0])
    home = getattr(top, "__file__", None)
    root = None if home is None else Path(home).parent.parent if hasattr(top, "__path__") else Path(home).parent
    path = Path(file)
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
