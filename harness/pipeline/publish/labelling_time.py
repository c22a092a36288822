"""What labelling takes alone: the seconds of a label stage had the ledger been empty, whichever stage the calls were
made in.

A stage whose calls stood in the ledger already takes next to nothing, because larger budgets were labelled first. As
its USD alone are those of every call, its seconds alone are what it took itself and, for every call that it found, the
call's own seconds times the teacher's pace. The pace is wall time for a second of calls: below 1 where calls are in
flight at once. It is taken from the label stages in the same store that the teacher was asked in, and 1 (one call after
another) where there are none.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from harness.files import atomic_file
from harness.labelling.labels.label_stage import SUMMARY, Labels
from harness.ledger.call_ledger import CallLedger
from harness.ledger.views import ReplayLedger
from harness.pipeline.artefact_records import MANIFEST, read_with_measured
from harness.pipeline.store import Store
from harness.progress import silent
from harness.stage import canonical

_COUNTED = ("calls", "input_tokens", "output_tokens")


class _Took(NamedTuple):
    """Seconds of a label stage's calls: of all that it uses, and of those that it made; and wall time while it
    labelled."""

    standalone: float
    incurred: float
    wall: float


class LabellingTime:
    """Seconds alone of label stages. `stages` are those of a sweep; what the summaries of older ones lack is read from
    `ledger`.

    `cache` keeps what was read there; losing it costs time only.
    """

    def __init__(self, stages: Iterable[Labels], store: Store, ledger: CallLedger, cache: Path) -> None:
        self._stages = {stage.key: stage for stage in stages}
        self._store, self._ledger, self._cache = store, ledger, cache
        self._paces: dict[tuple[str, str], float] = {}
        self._seconds: dict[str, float | None] = {}

    def standalone(self, stage: Labels) -> float | None:
        """Seconds that a made `stage` takes with an empty ledger; None where its calls' seconds are not known any
        more. Found once a stage."""
        if stage.key not in self._seconds:
            self._seconds[stage.key] = self._standalone(stage)
        return self._seconds[stage.key]

    def _standalone(self, stage: Labels) -> float | None:
        took, whole = self._took(stage.key, self._store.record(stage)), float(self._store.manifest(stage)["seconds"])
        if took is None:
            return None
        found = took.standalone - took.incurred
        return round(whole + found * self._pace(stage), 3) if found > 0 else whole

    def _pace(self, stage: Labels) -> float:
        """Wall time for a second of calls of the stage's teacher."""
        mark = stage.kind, json.dumps(canonical(stage.teacher))
        if mark not in self._paces:
            made = [took for took in self._same_teacher(*mark) if took.incurred > 0]
            self._paces[mark] = sum(took.wall for took in made) / sum(took.incurred for took in made) if made else 1.0
        return self._paces[mark]

    def _same_teacher(self, kind: str, teacher: str) -> Iterable[_Took]:
        for file in (self._store.root / kind).glob(f"[0-9a-f]*/{MANIFEST}"):
            manifest = json.loads(file.read_text(encoding="utf-8"))
            if json.dumps(manifest["fields"].get("teacher")) == teacher and (
                took := self._took(manifest["key"], file.parent)
            ):
                yield took

    def _took(self, key: str, folder: Path) -> _Took | None:
        summary = read_with_measured(folder, SUMMARY)
        alone, here = summary["alone"], summary["here"]
        if "seconds" in alone:
            return _Took(alone["seconds"], here["seconds"], summary["seconds"])
        seconds = self._again(key, alone) if alone["calls"] else 0.0
        if seconds is None:
            return None
        return _Took(seconds, seconds * here["calls"] / max(alone["calls"], 1), summary["seconds"])

    def _again(self, key: str, standalone: dict[str, Any]) -> float | None:
        """Seconds of the calls of a stage whose summary does not tell: the ledger is asked for all of them once
        more."""
        if key not in self._known and key in self._stages:
            seconds = self._replayed(self._stages.pop(key), standalone)
            if seconds is not None:
                self._known[key] = seconds
                self._save()
        return self._known.get(key)

    def _replayed(self, stage: Labels, standalone: dict[str, Any]) -> float | None:
        replay = ReplayLedger(self._ledger)
        # A time that cannot be told must not keep a run from being published, whatever a teacher raises.
        with contextlib.suppress(Exception):
            for _ in stage.rankings(stage.asking(self._store.read), self._store.read, replay, silent):
                pass
            if all(getattr(replay.used, name) == standalone[name] for name in _COUNTED):
                return replay.used.seconds
        return None

    @cached_property
    def _known(self) -> dict[str, float]:
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads(self._cache.read_text(encoding="utf-8")))
        return {}

    def _save(self) -> None:
        with atomic_file(self._cache, fsync=False) as temporary:
            temporary.write_text(json.dumps(self._known), encoding="utf-8")
