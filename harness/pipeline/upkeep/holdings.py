"""What a workspace holds, and who needs it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.collections.pool import FILE as POOL
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.labelling.labels.label_stage import RANKINGS
from harness.pipeline.artefact_records import MANIFEST
from harness.pipeline.store import Store
from harness.pipeline.upkeep.plan_marks import PlanMark
from harness.published.result_folder import TRACE
from harness.qa.answer_stages import READINGS
from harness.retrieval.run import FILE as RUN
from harness.training_lists.training_list import FILE as LISTS

_RESULTS = frozenset({RANKINGS, METRICS, RUN, TRACE, READINGS, LISTS, POOL})
"""Files of artefacts that are results, or that the files beside a card are written from."""
SMALL = 2**18
"""Bytes up to which an artefact stays, whoever needs it."""


class Need(StrEnum):
    """Who needs an artefact."""

    running = "running"
    """A sweep that runs."""
    result = "result"
    """It is a result itself: labels, a run, its values, a trace."""
    waiting = "waiting"
    """A known sweep that is not finished goes on from it."""
    finished = "finished"
    """Results that are there were made with it; they do not need it any more."""
    nobody = "nobody"
    """No known sweep, and no result that is there."""


@dataclass(frozen=True)
class Holding:
    """An artefact of the store."""

    folder: Path
    bytes: int
    seconds: float
    """What it took to make."""
    inputs: tuple[str, ...]
    since: float
    """When it was made, in seconds since 1970."""
    is_result: bool

    @property
    def kind(self) -> str:
        """The kind of its stage."""
        return self.folder.parent.name

    @property
    def key(self) -> str:
        """The key of its stage."""
        return self.folder.name

    @property
    def is_labels(self) -> bool:
        """Whether it holds what a teacher said."""
        return (self.folder / RANKINGS).is_file()


def holdings(store: Store) -> dict[str, Holding]:
    """Every artefact by key."""
    return {folder.name: _holding(folder) for folder in store.folders()}


def _holding(folder: Path) -> Holding:
    manifest = read_manifest(folder)
    names = set(manifest.get("files", ()))
    return Holding(
        folder,
        folder_bytes(folder),
        float(manifest.get("seconds", 0.0)),
        tuple(manifest.get("inputs", ())),
        (folder / MANIFEST).stat().st_mtime,
        bool(names & _RESULTS),
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """What was written down of the artefact; nothing where that cannot be read."""
    with suppress(OSError, ValueError):
        return dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    return {}


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`, or of the file itself; what vanishes meanwhile counts nothing."""
    if folder.is_file():
        return folder.stat().st_size
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.is_dir():
                    with suppress(OSError):
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def artefact_bytes(root: Path) -> dict[str, int]:
    """Bytes of everything in the folder of a store, by ``<kind>/<key>`` or, of files beside the kinds, by name; what
    vanishes meanwhile counts nothing."""
    found: dict[str, int] = {}
    for place in root.glob("*"):
        inside = list(place.iterdir()) if place.is_dir() else [place]
        found.update((one.relative_to(root).as_posix(), folder_bytes(one)) for one in inside)
    return found


def needs(
    held: Mapping[str, Holding], store: Store, marks: Iterable[PlanMark], further: Collection[str] = ()
) -> dict[str, Need]:
    """Who needs each artefact. `further` are keys of stages of sweeps whose plans nobody wrote down."""
    marks = list(marks)
    running = {key for mark in marks if mark.is_running for key in mark.inputs}
    waiting = {key for mark in marks for key in _unfinished(mark, held)}
    finished = _under_results(held, store)
    known = {key for mark in marks for key in mark.inputs}

    def need(one: Holding) -> Need:
        if one.key in running:
            return Need.running
        if one.is_result:
            return Need.result
        if one.key in waiting or (one.key in further and one.key not in finished | known):
            return Need.waiting
        return Need.finished if one.key in finished or one.key in known else Need.nobody

    return {key: need(one) for key, one in held.items()}


def _unfinished(mark: PlanMark, held: Mapping[str, Holding]) -> set[str]:
    """What is there and will be read when the sweep goes on."""
    seen: set[str] = set()
    found: set[str] = set()
    queue = [final for final in mark.finals if final not in held]
    while queue:
        for needed in mark.inputs.get(queue.pop(), ()):
            if needed in held:
                found.add(needed)
            elif needed not in seen:
                seen.add(needed)
                queue.append(needed)
    return found


def _under_results(held: Mapping[str, Holding], store: Store) -> set[str]:
    """Everything that results rest on, directly or through others, also through those that were taken out."""
    inputs = {folder.name: tuple(read_manifest(folder).get("inputs", ())) for folder in store.records.folders()}
    inputs |= {key: one.inputs for key, one in held.items()}
    queue = [key for key, one in held.items() if one.is_result]
    found: set[str] = set()
    while queue:
        new = [key for key in inputs.get(queue.pop(), ()) if key not in found]
        found.update(new)
        queue += new
    return found
