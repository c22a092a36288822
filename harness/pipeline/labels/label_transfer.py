"""Labels leave a workspace as one file and come into another: the ledger's calls and the finished `Labels` artefacts of
the store."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar

from harness.errors import UserError
from harness.files import atomic_file
from harness.labelling.labels.label_export import LabelReader, LabelSet, write_labels
from harness.labelling.labels.label_files import read_rankings, write_rankings
from harness.labelling.labels.label_stage import RANKINGS, SUMMARY, Labels, without_measures
from harness.labelling.labels.ranking import Ranking
from harness.ledger.calls import Call
from harness.ledger.ledger import Ledger
from harness.pipeline.artefact_records import MANIFEST, read_with_measured
from harness.pipeline.store import DamagedArtefact, Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.progress import MEASURED, Progress
from harness.stage import Context, Stage

_AT_ONCE = 1000
"""Calls a transaction, and entries between two reports of progress."""
_NAMED = 20
"""Conflicts that are named; all are counted."""


@dataclass(frozen=True, eq=False)
class Finished(Stage):
    """Labels of which only the key is known; they are in a store or in a file."""

    kind: ClassVar[str] = Labels.kind

    name: str

    @cached_property
    def key(self) -> str:
        return self.name

    def run(self, out: Path, context: Context) -> None:
        raise NotImplementedError("labels that are known by their key alone cannot be made again")


def export_labels(file: Path, workspace: WorkspaceFolder, progress: Progress) -> dict[str, Any]:
    """Write all calls and finished labels of `workspace`; ``{"file", "calls", "labels", "bytes"}``. A file that is
    there is replaced.

    Raises UserError when there is nothing to export, or an artefact is damaged.
    """
    store, finished = workspace.store, _finished(workspace.store)
    ledger = workspace.ledger if workspace.ledger_file.is_file() else None
    total = (len(ledger) if ledger else 0) + len(finished)
    if not total:
        raise UserError(
            "there are no calls and no finished labels here",
            file=workspace.path,
            remedy="name another folder with --workspace",
        )
    if not file.parent.is_dir():
        raise UserError("there is no such folder", file=file.parent)
    with atomic_file(file) as temporary:
        counts = write_labels(temporary, _transfer_summary(_entries(ledger, finished, store), total, progress))
    return {"file": str(file), **counts._asdict(), "bytes": file.stat().st_size}


def _finished(store: Store) -> list[Finished]:
    folders = (manifest.parent for manifest in (store.root / Finished.kind).glob(f"[0-9a-f]*/{MANIFEST}"))
    return sorted((Finished(folder.name) for folder in folders), key=lambda stage: stage.key)


def _entries(ledger: Ledger | None, finished: Iterable[Finished], store: Store) -> Iterator[Call | LabelSet]:
    if ledger is not None:
        yield from ledger.calls()
    for stage in finished:
        try:
            folder = store.read(stage)
        except DamagedArtefact as error:
            remedy = "run its sweep again, which makes it anew from the ledger, then export"
            raise UserError(f"finished labels are damaged: {error}", file=store.place(stage), remedy=remedy) from error
        # In the file summaries hold what was measured, as they did in stores once.
        yield LabelSet(store.manifest(stage), read_with_measured(folder, SUMMARY), _rows(folder / RANKINGS))


def _rows(file: Path) -> Iterator[Any]:
    with gzip.open(file, "rb") as stream:
        yield from map(json.loads, stream)


def _transfer_summary(entries: Iterator[Call | LabelSet], total: int, progress: Progress) -> Iterator[Call | LabelSet]:
    done = 0
    for done, entry in enumerate(entries, 1):
        yield entry
        if done % _AT_ONCE == 0:
            progress(done, max(done, total), "entries")
    progress(done, done, "entries")


@dataclass
class Taken:
    """What became of entries that were imported: added, there already and the same, there and different (what was there
    stays)."""

    added: int = 0
    same: int = 0
    conflicts: int = 0
    named: list[str] = field(default_factory=list)
    """The first few conflicts."""

    def add(self, added: int, same: int, conflicts: list[str]) -> None:
        """Count some more."""
        self.added, self.same, self.conflicts = self.added + added, self.same + same, self.conflicts + len(conflicts)
        self.named += conflicts[: _NAMED - len(self.named)]


def import_labels(file: Path, workspace: WorkspaceFolder, progress: Progress) -> dict[str, Any]:
    """Check the whole file, then take it over; ``{"file", "calls": {...}, "labels": {...}}``, both as `Taken`.

    What is there already stays as it is. Interrupted, the same import goes on. Raises UserError, with nothing written,
    when any line of the file is not as it was exported.
    """
    for _ in _read(file, 0, progress):
        pass
    calls, labels = Taken(), Taken()
    ledger, store = workspace.ledger, workspace.store
    for batch in _batches(_read(file, 1, progress)):
        if isinstance(batch, LabelSet):
            labels.add(*_restored(batch, store))
        else:
            calls.add(*ledger.merge(batch))
    return {"file": str(file), "calls": vars(calls), "labels": vars(labels)}


def _read(file: Path, before: int, progress: Progress) -> Iterator[Call | LabelSet]:
    """The entries of `file`, which is read twice in all; `before` counts the readings before this one."""
    reader = LabelReader(file)
    size = file.stat().st_size if file.is_file() else 0
    for number, entry in enumerate(reader.entries(), 1):
        yield entry
        if number % _AT_ONCE == 0:
            progress(before * size + reader.position, 2 * size, "bytes")
    progress((before + 1) * size, 2 * size, "bytes")


def _batches(entries: Iterable[Call | LabelSet]) -> Iterator[list[Call] | LabelSet]:
    calls: list[Call] = []
    for entry in entries:
        if isinstance(entry, Call):
            calls.append(entry)
        if calls and (len(calls) == _AT_ONCE or not isinstance(entry, Call)):
            yield calls
            calls = []
        if not isinstance(entry, Call):
            yield entry
    if calls:
        yield calls


def _restored(labels: LabelSet, store: Store) -> tuple[int, int, list[str]]:
    stage = Finished(labels.manifest["key"])
    with store.lock(stage):
        if (there := _there(stage, store)) is not None:
            differs = any(one != other for one, other in zip_longest(labels.rankings, there))
            return 0, int(not differs), [stage.key] if differs else []
        with store.draft(stage) as draft:
            write_rankings(draft / RANKINGS, labels.rankings)
            summary = without_measures(labels.summary) if MEASURED in labels.manifest else labels.summary
            (draft / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")
            # Hashes are taken anew: another zlib may pack the same rankings differently.
            store.commit(stage, draft, {name: value for name, value in labels.manifest.items() if name != "files"})
    return 1, 0, []


def _there(stage: Finished, store: Store) -> list[Ranking] | None:
    try:
        return read_rankings(store.read(stage) / RANKINGS) if store.has(stage) else None
    except DamagedArtefact:
        store.discard(stage)
        return None


def render_import(report: dict[str, Any]) -> str:
    """What an import did, for people."""
    told = [taken_text(name, report[key]) for name, key in (("calls", "calls"), ("sets of labels", "labels"))]
    named = [f"  {key}" for part in ("calls", "labels") for key in report[part]["named"]]
    return "\n".join([f"{report['file']}:", *told, *(["kept as they were here:", *named] if named else [])])


def taken_text(name: str, taken: dict[str, Any]) -> str:
    """What became of entries called `name`, for people."""
    differing = f", {taken['conflicts']:,} differ from what is here" if taken["conflicts"] else ""
    return f"{taken['added']:,} {name} added, {taken['same']:,} were here already{differing}"
