"""The folder that a machine keeps: the only place that knows what lies where in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from harness.collections.parse import parse_source
from harness.collections.prepared import PreparedCollection, prepare, prepared_folder
from harness.errors import UserErrors
from harness.files import cache_home
from harness.ledger.ledger import Ledger
from harness.pipeline.diagnosis.writable_folder import unwritable
from harness.pipeline.outcome.failures import Failures
from harness.pipeline.store import Store
from harness.progress import Progress, silent


class WorkspaceFolder:
    """Artefacts, the ledger, prepared collections, caches, failures and journals below `path`; all made when something
    is written.

    Where it does not prepare anything (`prepares`), collections that it lacks are prepared in the user's cache.
    """

    def __init__(self, path: str | Path = "workspace", *, prepares: bool = True) -> None:
        self.path = Path(path)
        self._prepares = prepares

    @classmethod
    def of(cls, workspace: WorkspaceFolder | str | Path) -> WorkspaceFolder:
        """`workspace` itself, or the one at that path."""
        return workspace if isinstance(workspace, WorkspaceFolder) else cls(workspace)

    @classmethod
    def of_journal(cls, file: Path) -> Self:
        """The one in which the sweep of that journal runs."""
        return cls(file.parent.parent)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def store(self) -> Store:
        """The artefacts, looked at anew: a `Store` takes what it has found to stay for as long as a sweep runs."""
        store, records = self.path / "store", self.path / "records"
        return Store(store, locks=self.path / "locks", damaged=self.damaged, records=records)

    @property
    def damaged(self) -> Path:
        """Where artefacts lie that were set aside."""
        return self.path / "damaged"

    @property
    def plans(self) -> Path:
        """Where sweeps write down which artefacts they rest on."""
        return self.path / "plans"

    @property
    def gate(self) -> Path:
        """The file that is locked while a sweep writes down its plan, and while artefacts are taken out."""
        return self.path / "locks" / "gate"

    @property
    def ledger_file(self) -> Path:
        """The file of every LLM call ever paid for."""
        return self.path / "ledger.sqlite"

    @cached_property
    def ledger(self) -> Ledger:
        """The calls in that file; `close` closes it. A sweep opens one of its own, which adds up what it pays."""
        return Ledger(self.ledger_file)

    @contextmanager
    def open_ledger(self) -> Iterator[Ledger]:
        """The calls in that file; an empty ledger where there is none, so that asking what is there makes nothing."""
        if self.ledger_file.is_file():
            yield self.ledger
            return
        with tempfile.TemporaryDirectory(prefix="harness-ledger-") as folder:
            empty = Ledger(Path(folder) / self.ledger_file.name)
            try:
                yield empty
            finally:
                empty.close()

    def server(self, model: str) -> str | None:
        """The address that answers of `model` came from so far, where one was noted."""
        return self.ledger.server(model) if self.ledger_file.is_file() else None

    def cache(self, name: str = "") -> Path:
        """The folder of what may be lost at any time, or what is called `name` there."""
        return self.path / "cache" / name

    @property
    def collections(self) -> Path:
        """The folder of prepared collections."""
        return self.path / "collections"

    def collection(
        self, spec: str | Mapping[str, Any], base: Path = Path(), progress: Progress = silent
    ) -> PreparedCollection:
        """The collection of `spec` as a sweep file names it, read once and kept; paths in it are relative to `base`.
        Raises UserError."""
        source, home = parse_source(spec, base), self.collections
        if not self._prepares and not prepared_folder(source, home).is_dir():
            home = cache_home() / "collections"
        return prepare(source, home, progress)

    @property
    def imported_labels(self) -> Path:
        """The folder of labels that others published, matched to a collection."""
        return self.path / "imported-labels"

    @property
    def failures(self) -> Failures:
        """Why stages failed, until they succeed."""
        return Failures(self.path / "failures")

    @property
    def journal_folder(self) -> Path:
        """Where sweeps write down how far they are."""
        return self.path / "sweeps"

    @property
    def journals(self) -> list[Path]:
        """The journals of sweeps that ran or run here, newest first."""
        return sorted(self.journal_folder.glob("*.jsonl"), reverse=True)

    def check_writable(self, results: Path) -> None:
        """Raises UserErrors where this folder, or that of results, can be neither written to nor made."""
        folders = (("results", results), ("workspace", self.path))
        if faults := [fault for name, folder in folders if (fault := unwritable(name, folder)) is not None]:
            raise UserErrors.of(faults)

    def close(self) -> None:
        """Close the ledger's file; it opens again when it is needed."""
        if "ledger" in vars(self):
            self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
