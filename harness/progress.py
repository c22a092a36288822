"""A bar on standard error for work that takes long outside a sweep; silent where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


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
