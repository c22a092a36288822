"""The trace of a cell whose settings are chosen among trials: that of the trial which was chosen, and of no other.

Which one that is is known when the choice is made. So the stages of the trace run inside this one, which asks for
everything that any of the traces would read and measures one of them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import ClassVar

from harness.ledger.call_ledger import CallLedger
from harness.pipeline.fidelity.trace_stage import TransferTrace
from harness.pipeline.graph import closure
from harness.pipeline.trial_selection import FILE as TRIALS
from harness.pipeline.trial_selection import SelectTrial
from harness.progress import Progress
from harness.published.result_folder import TRACE
from harness.published.run_trace import RunTrace
from harness.stage import Context, Stage, transport


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenTrace(Stage):
    """``trace.json`` of the chosen trial; empty where there is nothing to trace in it."""

    kind: ClassVar[str] = "chosen-trace"
    computes: ClassVar[bool | None] = True

    choice: SelectTrial
    traces: tuple[TransferTrace | None, ...]
    """One a trial."""
    given: frozenset[str] = transport()
    """Keys of the stages that are made anyway."""

    @property
    def label(self) -> str:
        return self.choice.label

    def inputs(self) -> tuple[Stage, ...]:
        parts = chain.from_iterable(self._parts(trace) for trace in self.traces if trace is not None)
        read = {needed.key: needed for part in parts for needed in part.inputs() if needed.key in self.given}
        return (self.choice, *(stage for key, stage in read.items() if key != self.choice.key))

    def run(self, out: Path, context: Context) -> None:
        trials = json.loads((context.path(self.choice) / TRIALS).read_text(encoding="utf-8"))
        trace = self.traces[trials["chosen"]]
        if trace is None:
            (out / TRACE).write_bytes(RunTrace().to_json())
            return
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            within = NestedContext(context, context.ledger, context.cache, context.progress)
            for part in self._parts(trace):
                place = Path(folder) / part.key
                place.mkdir()
                part.run(place, within)
                within.places[part.key] = place
            shutil.copyfile(within.places[trace.key] / TRACE, out / TRACE)

    def _parts(self, trace: TransferTrace) -> Iterator[Stage]:
        """What only the trace needs, inputs first."""
        return (stage for key, stage in closure([trace]).items() if key not in self.given)


@dataclass
class NestedContext:
    """A context in which further artefacts are there."""

    outer: Context
    ledger: CallLedger
    cache: Path
    progress: Progress
    places: dict[str, Path] = field(default_factory=dict)

    def path(self, stage: Stage) -> Path:
        return self.places[stage.key] if stage.key in self.places else self.outer.path(stage)
