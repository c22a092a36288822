"""What running work tells: how far it is, by a bar on standard error outside a sweep, and what it took, which the
manifest of its artefact tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

MEASURED = "measured"
"""Key of a manifest under which measurements stand."""
_NOTE = ".measured.json"


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """Draws ``progress(done, total)`` under the words `what`; it vanishes at the end."""

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as drawn:
        task = drawn.add_task(what, total=None)

        def tell(done: int, total: int, unit: str = "") -> None:
            drawn.update(task, completed=done, total=total)

        yield tell


class Progress(Protocol):
    """What a running stage tells the live view."""

    def __call__(self, done: int, total: int, unit: str = "") -> None: ...


def silent(done: int, total: int, unit: str = "") -> None:
    """Progress that nobody watches."""


def note_measured(folder: Path, values: Mapping[str, Any]) -> None:
    """Note `values`, plain data that another run of the stage which writes into `folder` would measure otherwise. They
    go into the manifest and are no file of the artefact, so that equal artefacts have equal hashes."""
    (folder / _NOTE).write_text(json.dumps(values), encoding="utf-8")


def take_measured(folder: Path) -> dict[str, Any]:
    """What was noted in `folder`, as a part of its manifest; the note is gone afterwards."""
    file = folder / _NOTE
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return {MEASURED: found}
