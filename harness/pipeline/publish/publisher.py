"""Publishes the cells of a sweep, each as soon as its last stages are done: what ends the sweep costs no finished
cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.claims.freezing import FreezeMark
from harness.labelling.labels.label_stage import Labels
from harness.ledger.call_ledger import CallLedger
from harness.pipeline.graph import closure
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.cache import PublishedCache
from harness.pipeline.publish.card_builder import publish_cell
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.publish.stage_facts import StageFacts
from harness.pipeline.store import Store


class Publisher:
    """Result folders of the cells of `plan` under `results`."""

    def __init__(self, plan: PlannedSweep, store: Store, ledger: CallLedger, results: Path) -> None:
        self.folders: dict[int, Path] = {}
        """Of the cells that are published, by their number in the plan."""
        self.faults: dict[int, StageFault] = {}
        """Why folders of finished cells could not be written."""
        self._plan, self._store, self._ledger, self._results = plan, store, ledger, results
        self._cache = PublishedCache(plan.workspace.cache("published.json"))
        self._mark = FreezeMark(plan.sweep)
        self._latest = ""
        self._state: dict[int, tuple[bool, int]] = {}
        """Of each published cell, whether it had its trace, and how many label stages were there."""
        self._times: tuple[int, LabellingTime] | None = None
        self._label_stages = {key: stage for key, stage in plan.stages.items() if isinstance(stage, Labels)}
        self._labels: list[Labels] = []
        """Those that are there."""
        self._facts = StageFacts(store)
        self._labelled: dict[int, bool] = {}
        self._before: list[str] = []
        self._cells: dict[str, list[int]] = defaultdict(list)
        for number, cell in enumerate(plan.cells):
            for final in cell.finals:
                self._cells[final.key].append(number)
        self._look_for_labels()

    def publish_finished(self, again: ExecutionResult) -> None:
        """Publish the cells that the workspace holds with all their last stages; `again` is what the sweep ran so
        far."""
        self._before = again.ran
        self._look_for_labels()
        for number, cell in enumerate(self._plan.cells):
            if all(self._store.has(final) for final in cell.finals):
                self._publish(number, ())

    def follow(self, outcome: ExecutionResult) -> None:
        """Publish what the last stage of `outcome` finished."""
        if not outcome.ran or outcome.ran[-1] == self._latest:
            return
        self._latest = outcome.ran[-1]
        if self._latest in self._label_stages:
            self._look_for_labels()
        for number in self._cells.get(outcome.ran[-1], ()):
            if self._store.has(self._plan.cells[number].evaluate):
                self._publish(number, outcome.ran)

    def finish(self, outcome: ExecutionResult) -> None:
        """Publish what is finished and not published yet as it is now; what could not be written is tried once more."""
        self._look_for_labels()
        for number, cell in enumerate(self._plan.cells):
            is_current = number in self._state and self._state[number] == self._wanted(number)
            if outcome.cause(cell.evaluate) is None and not is_current:
                self._publish(number, outcome.ran)
        self.save()

    def save(self) -> None:
        """Keep which folders hold which cells; losing it costs time only."""
        with suppress(OSError):
            self._cache.save()

    def _publish(self, number: int, ran: Sequence[str]) -> None:
        cell, computed = self._plan.cells[number], frozenset([*self._before, *ran])
        stages = closure([cell.evaluate])
        self._labelled[number] = any(isinstance(stage, Labels) for stage in stages.values())
        try:
            self.folders[number] = publish_cell(
                cell,
                stages,
                self._store,
                self._results,
                self._plan.sweep,
                self._cache,
                self._labelling_time(),
                self._facts,
                computed,
                anew=number in self._state,
                mark=self._mark,
            )
        except Exception as error:
            self.faults[number] = StageFault.of(error).masked()
            return
        self.faults.pop(number, None)
        self._state[number] = self._wanted(number)

    def _wanted(self, number: int) -> tuple[bool, int]:
        """What the folder of a cell that was published rests on beside its result."""
        cell = self._plan.cells[number]
        labels = len(self._labels) if self._labelled[number] else 0
        return cell.trace is not None and self._store.has(cell.trace), labels

    def _look_for_labels(self) -> None:
        self._labels = [stage for stage in self._label_stages.values() if self._store.has(stage)]

    def _labelling_time(self) -> LabellingTime:
        """Every further label stage tells more of the pace of its teacher."""
        if self._times is None or self._times[0] != len(self._labels):
            file = self._plan.workspace.cache("labelling-seconds.json")
            self._times = len(self._labels), LabellingTime(self._labels, self._store, self._ledger, file)
        return self._times[1]
