"""The models and the collection that a machine without network, GPU or key works with: packages of the index that carry
files. They are installed without their own dependencies, in exact versions, checked by hash."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.masking import masked
from harness.models import BUNDLED
from harness.shipped import carried

_LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)\s+--hash=(?P<hash>sha256:[0-9a-f]{64})\s*$", re.MULTILINE
)
_COLLECTIONS = {"cherche": ("semanlink", "semanlink-arxiv")}


@dataclass(frozen=True)
class BundledPart:
    """A package of the index that carries a model or a collection."""

    distribution: str
    version: str
    hash: str

    @property
    def brings(self) -> tuple[str, ...]:
        """What sweep files call that which it carries."""
        models = (f"bundled:{name}" for name, model in BUNDLED.items() if model.distribution == self.distribution)
        return (*models, *_COLLECTIONS.get(self.distribution, ()))

    @property
    def installed(self) -> str | None:
        """The version that is installed, None where none is."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None


def parts_file() -> Path:
    """The list of the parts, as pip reads it."""
    return carried("requirements-bundled.txt")


def bundled_parts() -> tuple[BundledPart, ...]:
    """All parts, in the order of their list."""
    lines = _LINE.finditer(parts_file().read_text(encoding="utf-8"))
    return tuple(BundledPart(line["name"], line["version"], line["hash"]) for line in lines)


def install_parts(tell: Callable[[str], None], dry_run: bool = False) -> dict[str, Any]:
    """Install the parts that are absent or of another version, by pip (or uv) with its own settings; `tell` hears what
    it says. With `dry_run` nothing is installed.

    ``{"file", "command", "parts": [{"name", "version", "hash", "brings", "before", "installed"}]}``: ``before`` and
    ``installed`` are versions or None. Raises UserError when they cannot be installed.
    """
    parts = bundled_parts()
    before = {part: part.installed for part in parts}
    command: Sequence[str] = ()
    if any(found != part.version for part, found in before.items()):
        command = install_command()
        if not dry_run:
            _run(command, tell)
    rows = [
        {
            "name": part.distribution,
            "version": part.version,
            "hash": part.hash,
            "brings": list(part.brings),
            "before": before[part],
            "installed": part.installed,
        }
        for part in parts
    ]
    return {"file": str(parts_file()), "command": list(command), "parts": rows}


def install_command() -> tuple[str, ...]:
    """What installs them into this environment. Raises UserError when neither pip nor uv is there."""
    options = ("--no-deps", "--require-hashes", "-r", str(parts_file()))
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options)
    if (uv := shutil.which("uv")) is not None:
        return (uv, "pip", "install", "--python", sys.executable, *options)
    raise UserError(
        "neither pip nor uv is in this environment", remedy=f"install with another tool: {' '.join(options)}"
    )


def _run(command: Sequence[str], tell: Callable[[str], None]) -> None:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            # The address of an index may hold a password.
            tell(masked(line.rstrip()))
    if process.returncode:
        raise UserError(
            "the bundled parts could not be installed, for the reason above",
            remedy=f"an index of your own is set in pip's configuration or PIP_INDEX_URL; by hand: {' '.join(command)}",
        )


def render_parts(report: dict[str, Any]) -> str:
    """A line for each part, for people."""
    return "\n".join(_part_text(part) for part in report["parts"])


def _part_text(part: dict[str, Any]) -> str:
    if part["installed"] != part["version"]:
        state = (
            f"absent, wanted {part['version']}"
            if part["installed"] is None
            else f"{part['installed']}, wanted {part['version']}"
        )
    else:
        state = (
            f"{part['version']} was here already"
            if part["before"] == part["version"]
            else f"{part['version']} installed"
        )
    return f"{', '.join(part['brings'])}: {part['name']} {state}"
