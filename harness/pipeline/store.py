"""The store: finished artefacts by content key, written atomically, verified when read, guarded by locks between
processes.

``<root>/<kind>/<key>/`` holds an artefact's files and its ``artefact.json`` (key, inputs, versions, duration, peak
memory, file hashes). A folder with that name is complete: it was written beside its place, synced, and renamed. Of an
artefact that was taken out to save space a record stays (artefact_records.py), so that costs are known without it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness.files import atomic_folder, locked, sha256, sync, sync_tree
from harness.ledger.network_disk import is_on_network
from harness.pipeline.artefact_records import MANIFEST, ArtefactRecords
from harness.pipeline.outcome.stage_fault import Refused
from harness.progress import take_measured
from harness.stage import Stage

Manifest = dict[str, Any]


_ABANDONED_AFTER = 86_400
"""Seconds after which a draft on a disk of the network is nobody's: no stage that lives is so long without a file."""


class DamagedArtefact(Exception):
    """Files of an artefact are missing or differ from what was written."""


class Store:
    """Artefacts below `root`; files that are locked lie in `locks`, what was set aside in `damaged`, what stays of
    artefacts that were taken out in `records`."""

    def __init__(self, root: Path, *, locks: Path, damaged: Path, records: Path) -> None:
        self.root = root
        self.records = ArtefactRecords(records)
        self._locks, self._damaged = locks, damaged
        self._known: set[str] = set()
        self._verified: set[str] = set()
        self._manifests: dict[str, Manifest] = {}

    def place(self, stage: Stage) -> Path:
        """Where the artefact of `stage` is or will be."""
        return self.root / stage.kind / stage.key

    def has(self, stage: Stage) -> bool:
        """Whether the artefact is there. Artefacts never vanish while a sweep runs, so a yes is remembered."""
        if stage.key in self._known:
            return True
        is_there = os.path.isfile(self._manifest_file(stage))  # noqa: PTH113
        if is_there:
            self._known.add(stage.key)
        return is_there

    def is_recorded(self, stage: Stage) -> bool:
        """Whether it is known how the artefact was made: it is there, or was taken out to save space."""
        return self.has(stage) or self.records.has(stage.kind, stage.key)

    def record(self, stage: Stage) -> Path:
        """The folder with the manifest and small files of a recorded artefact: its own, or that of its record."""
        return self.place(stage) if self.has(stage) else self.records.place(stage.kind, stage.key)

    def manifest(self, stage: Stage) -> Manifest:
        """What was recorded when the artefact was made; read once, for many cells rest on one artefact."""
        known = self._manifests.get(stage.key)
        if known is None:
            file = Path(self._manifest_file(stage)) if self.has(stage) else self.record(stage) / MANIFEST
            known = self._manifests[stage.key] = json.loads(file.read_bytes())
        return known

    def _manifest_file(self, stage: Stage) -> str:
        """Of its artefact; as text, since joining paths of thousands of stages takes longer than asking for them."""
        return f"{self.root}/{stage.kind}/{stage.key}/{MANIFEST}"

    def read(self, stage: Stage) -> Path:
        """The artefact's folder, its files compared with their hashes once a process. Raises DamagedArtefact."""
        place = self.place(stage)
        if stage.key not in self._verified:
            _verify(place, self._manifest_or_damage(stage))
            self._verified.add(stage.key)
        return place

    def _manifest_or_damage(self, stage: Stage) -> Manifest:
        try:
            return self.manifest(stage)
        except (OSError, ValueError) as error:
            raise DamagedArtefact(f"{stage.kind} {stage.key[:12]}: {MANIFEST} cannot be read: {error}") from error

    def past_seconds(self) -> dict[str, float]:
        """Mean seconds of each kind of stage, from a few recent artefacts; what the first guess of the time to go
        uses."""
        return {kind: sum(one["seconds"] for one in some) / len(some) for kind, some in self._recent().items()}

    def past_bytes(self) -> dict[str, float]:
        """Mean size of a few recent artefacts of each kind."""
        return {kind: sum(_bytes(one) for one in some) / len(some) for kind, some in self._recent().items()}

    def _recent(self) -> dict[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for kind in self.root.glob("*") if self.root.is_dir() else ():
            files = (file for file, _ in zip(kind.glob(f"[0-9a-f]*/{MANIFEST}"), range(8), strict=False))
            if manifests := [json.loads(file.read_text(encoding="utf-8")) for file in files]:
                found[kind.name] = manifests
        return found

    def discard(self, stage: Stage) -> None:
        """Set a damaged artefact aside (kept for a look), so that it is made again."""
        self._set_aside(stage.kind, stage.key)

    def set_aside(self, stage: Stage) -> Path:
        """Take an artefact out, so that it is made again; returns where it lies, for `restore`."""
        return self._set_aside(stage.kind, stage.key)

    def restore(self, stage: Stage, aside: Path) -> None:
        """Put an artefact back that was set aside and was not made again."""
        aside.rename(self.place(stage))

    def set_aside_resting_on(self, keys: Collection[str]) -> None:
        """Set aside every artefact, of whichever sweep, that rests on those with `keys`, directly or through others."""
        folders = [*self.folders(), *self.records.folders()] if keys else []
        inputs = {(folder.parent.name, folder.name): _inputs(folder / MANIFEST) for folder in folders}
        stale = set(keys)
        while new := [one for one, read in inputs.items() if one[1] not in stale and stale & read]:
            stale.update(key for _, key in new)
            for kind, key in new:
                self.records.drop(kind, key)
                if (self.root / kind / key).is_dir():
                    self._set_aside(kind, key)

    def folders(self) -> Iterator[Path]:
        """The folder of every artefact that is there, whichever sweep made it."""
        yield from (file.parent for file in self.root.glob(f"*/[0-9a-f]*/{MANIFEST}"))

    def adopt(self, folder: Path) -> None:
        """Copy the artefact in `folder`, of another store, to its place here, which is free. Raises DamagedArtefact
        when its files are not as they were written."""
        kind, key = folder.parent.name, folder.name
        with locked(self._locks / key), atomic_folder(self.root / kind / key) as draft:
            shutil.copytree(folder, draft, dirs_exist_ok=True)
            try:
                manifest = json.loads((draft / MANIFEST).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise DamagedArtefact(f"{folder / MANIFEST} cannot be read: {error}") from error
            _verify(draft, manifest)
            sync_tree(draft)
        self.records.drop(kind, key)

    def take_out(self, folder: Path) -> Path:
        """Take the artefact in `folder` out for good, but for its record; returns what is to be removed, which is no
        artefact any more."""
        self.records.keep(folder)
        gone = folder.with_name(f".{folder.name}-{uuid4().hex[:8]}")
        folder.rename(gone)
        return gone

    def _set_aside(self, kind: str, key: str) -> Path:
        aside = self._damaged / f"{kind}-{key[:12]}-{uuid4().hex[:6]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        (self.root / kind / key).rename(aside)
        self._known.discard(key)
        self._manifests.pop(key, None)
        self._verified.discard(key)
        return aside

    def for_child(self) -> Store:
        """The same for another process, with what is known to be there and whole."""
        other = Store(self.root, locks=self._locks, damaged=self._damaged, records=self.records.root)
        other._known, other._verified = set(self._known), set(self._verified)
        return other

    @contextmanager
    def lock(self, stage: Stage) -> Iterator[None]:
        """Hold the right to make this artefact; waits while another process makes it. The kernel frees it when a holder
        dies."""
        with locked(self._locks / stage.key):
            yield

    def is_locked(self, stage: Stage) -> bool:
        """Whether some process is making this artefact right now."""
        return self.is_key_locked(stage.key)

    def is_key_locked(self, key: str) -> bool:
        """Whether some process is making the artefact with that key right now."""
        file = self._locks / key
        if not file.is_file():
            return False
        with file.open("r") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextmanager
    def draft(self, stage: Stage) -> Iterator[Path]:
        """An empty folder beside the artefact's place; removed if it was not committed."""
        place = self.place(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        for left in place.parent.glob(f".{stage.key}-*"):
            if self._is_abandoned(left):
                shutil.rmtree(left, ignore_errors=True)
        folder = place.parent / f".{stage.key}-{uuid4().hex[:8]}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _is_abandoned(self, draft: Path) -> bool:
        """Whoever holds the lock knows that nobody is at work on another draft; on a disk of the network, whose locks
        may not hold, it is only known of old ones."""
        if not is_on_network(self.root):
            return True
        with suppress(OSError):
            return time.time() - draft.stat().st_mtime > _ABANDONED_AFTER
        return False

    def commit(self, stage: Stage, draft: Path, record: Manifest) -> Manifest:
        """Add the manifest to a finished draft, with what was measured, and move it to its place in one step. Where
        another machine put a whole one there meanwhile, that one stays: equal keys are equal artefacts. Raises
        Refused where the draft cannot be an artefact."""
        _check_draft(draft)
        measured = take_measured(draft)
        files = {str(file.relative_to(draft)): _describe(file) for file in sorted(draft.rglob("*")) if file.is_file()}
        manifest = {**record, **measured, "files": files}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        sync_tree(draft)
        try:
            draft.rename(self.place(stage))
        except OSError:
            if not self._is_whole(stage):
                raise
            manifest = self.manifest(stage)
        sync(self.place(stage).parent)
        self.records.drop(stage.kind, stage.key)
        self._known.add(stage.key)
        self._verified.add(stage.key)
        self._manifests.pop(stage.key, None)
        return manifest

    def _is_whole(self, stage: Stage) -> bool:
        try:
            self.read(stage)
        except DamagedArtefact:
            return False
        return True


def _check_draft(draft: Path) -> None:
    """An artefact is files in a folder: a pipe is never read to its end, and what a link leads to is not the
    artefact's."""
    if draft.is_symlink() or not draft.is_dir():
        raise Refused("the folder that it was given to write to is gone")
    for path in sorted(draft.rglob("*")):
        name, mode = str(path.relative_to(draft)), path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise Refused(f"it wrote {name!r}, which is neither a file nor a folder but a link, a pipe or the like")
        if not name.isprintable():
            raise Refused(f"it wrote a file with the name {name!a}, which cannot be printed")


def _inputs(manifest: Path) -> set[str]:
    """The keys of what an artefact was made of."""
    try:
        return set(json.loads(manifest.read_text(encoding="utf-8"))["inputs"])
    except (OSError, ValueError, LookupError):
        return set()


def _bytes(manifest: Manifest) -> int:
    return sum(int(file["bytes"]) for file in manifest["files"].values())


def _describe(file: Path) -> dict[str, Any]:
    return {"sha256": sha256(file), "bytes": file.stat().st_size}


def _verify(place: Path, manifest: Manifest) -> None:
    for name, told in manifest["files"].items():
        file = place / name
        if not file.is_file():
            raise DamagedArtefact(f"{file} is missing")
        if _describe(file) != told:
            raise DamagedArtefact(f"{file} differs from what was written")
