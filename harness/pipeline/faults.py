"""What is wrong with a sweep in view of data and models: collected, each fault at its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.config.cells import Cell
from harness.config.registries import SweepSource
from harness.errors import UserError, UserErrors
from harness.validation import KeyPath


class FaultCollector:
    """What is wrong with several parts of a sweep; the same fault met twice is told once."""

    def __init__(self, source: SweepSource) -> None:
        self.source = source
        self._faults: dict[str, UserError] = {}

    @contextmanager
    def at(self, *paths: KeyPath) -> Iterator[None]:
        """Takes a UserError that is raised inside, at the first of `paths` that the file holds."""
        try:
            yield
        except UserError as error:
            self._faults |= {str(fault): fault for fault in self.source.at(error, *paths).parts}

    def finish(self) -> None:
        """Raises UserErrors with everything that was collected, in the order of the file."""
        if self._faults:
            raise UserErrors.of(sorted(self._faults.values(), key=lambda fault: (str(fault.file), fault.line or 0)))

    def __bool__(self) -> bool:
        return bool(self._faults)


def method_path(source: SweepSource, cell: Cell) -> KeyPath:
    """Where the sweep lists the method of `cell`."""
    node = source.tree.child("methods") if source.tree is not None else None
    entries = node.plain() if node is not None and isinstance(node.value, list) else []
    for index, entry in enumerate(entries):
        name, label = (entry, None) if isinstance(entry, str) else (entry.get("method"), entry.get("label"))
        if name == cell.method.name and (label or "") in (cell.entry, name):
            return ("methods", index)
    return ("methods",)
