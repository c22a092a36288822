"""Stages as tasks of Ray, which places, queues and retries them. Here is only what is told of them."""

from __future__ import annotations

import math
import time
from collections import Counter
from functools import partial
from typing import Any, NamedTuple, Self

from harness._lazy import lazy
from harness.device import Resources
from harness.ledger.call_ledger import SweepLedger
from harness.ledger.calls import Usage
from harness.pipeline.cluster.keeper import StageNews
from harness.pipeline.cluster.stage_task import StageReport, await_artefact, run_key
from harness.pipeline.graph import Queue
from harness.pipeline.isolation.plugin_classes import plugin_classes
from harness.pipeline.isolation.stage_process import GRACE, StageProcessError
from harness.pipeline.jobs.crew import Made
from harness.pipeline.live.observer import Observer
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.store import Manifest, Store
from harness.stage import Stage
from harness.text import clock

ray = lazy("ray")

_RETRIES = 3
"""How often a stage is run again whose worker or machine died."""
_LOOK = 1.0
"""Seconds between two looks at stages that may take too long."""


class ClusterSize(NamedTuple):
    """Cores of all nodes, and the most of each kind that one node has: more is wanted in vain."""

    cores: int
    largest: Resources

    def options(self, stage: Stage) -> dict[str, Any]:
        """What Ray is told of a stage."""
        wanted, largest = stage.resources, self.largest
        cores = wanted.cpu * stage.numerics.threads
        return {
            "name": f"{stage.kind} {stage.label}".strip(),
            "max_retries": _RETRIES,
            # A cluster that grows from nothing has no node that computes yet.
            "num_cpus": min(cores, largest.cpu or cores),
            "num_gpus": min(wanted.gpu, largest.gpu),
            "memory": int(min(wanted.memory, largest.memory or wanted.memory) * 2**30),
        }


class RayCrew:
    """The stages of one execution. `reference` is that of the `SharedWork`, `keeper` the actor. With `jobs` so many
    compute at once at the most; a service is asked by as many, or as there are cores. `timeout` as in `IsolatedWork`.
    """

    def __init__(
        self,
        reference: Any,
        keeper: Any,
        size: ClusterSize,
        store: Store,
        ledger: SweepLedger,
        jobs: int | None,
        timeout: float | None,
    ) -> None:
        self._reference, self._keeper, self._size = reference, keeper, size
        self._store, self._ledger, self._jobs, self._timeout = store, ledger, jobs, timeout
        self._remote = ray.remote(run_key)
        self._tasks: dict[Any, Stage] = {}
        self._begun: dict[str, float] = {}
        self._late: set[str] = set()
        self._paid: dict[str, Usage] = {}
        self._news = keeper.news.remote()
        self.running: dict[str, Stage] = {}

    def start(self, queue: Queue, observer: Observer) -> None:
        for stage in queue.ready():
            if stage.key not in self.running and self._has_room(stage):
                self.running[stage.key] = stage
                task = self._remote.options(**self._size.options(stage))
                self._tasks[task.remote([self._reference], self._keeper, stage.key)] = stage

    def wait(self, observer: Observer) -> tuple[Stage, Made]:
        while True:
            pause = _LOOK if self._timeout is not None else None
            ready, _ = ray.wait([*self._tasks, self._news], num_returns=1, timeout=pause)
            if ready and ready[0] in self._tasks:
                stage = self._tasks.pop(ready[0])
                del self.running[stage.key]
                made = partial(self._result, stage, ready[0], stage.key in self._late)
                self._begin(stage, observer)
                del self._begun[stage.key]
                return stage, made
            for news in ray.get(self._news) if ready else ():
                self._tell(news, observer)
            self._news = self._keeper.news.remote() if ready else self._news
            self._end_late()

    def withdraw(self) -> None:
        for task, stage in list(self._tasks.items()):
            if stage.key not in self._begun:
                ray.cancel(task)
                del self._tasks[task], self.running[stage.key]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        # Another crew of the session is to hear what comes.
        ray.cancel(self._news)
        if error is None or not self._tasks:
            return
        # First in order, as Ctrl-C does it; then whatever is left.
        for task in self._tasks:
            ray.cancel(task)
        _, going = ray.wait([*self._tasks], num_returns=len(self._tasks), timeout=GRACE)
        # Ray ends this process where a task is forced to end that has ended while its last reply is on the way.
        for task in going:
            ray.cancel(task, force=True)

    def _has_room(self, stage: Stage) -> bool:
        wanted, others = stage.resources, [one.resources for one in self.running.values()]
        slots = Counter(slot for one in others for slot in one.slots)
        computing = sum(one.cpu for one in others)
        fits = self._jobs is None or wanted.cpu == 0 or computing == 0 or computing + wanted.cpu <= self._jobs
        return fits and all(slots[slot] < (self._jobs or self._size.cores) for slot in wanted.slots)

    def _begin(self, stage: Stage, observer: Observer) -> None:
        """Tell that a stage has begun, once, whichever try says so."""
        if stage.key not in self._begun:
            self._begun[stage.key] = math.inf
            observer.started(stage)

    def _tell(self, news: StageNews, observer: Observer) -> None:
        if (stage := self.running.get(news.key)) is None:
            return
        self._begin(stage, observer)
        self._pay(news.attempt, news.paid)
        if news.total < 0:
            self._begun[stage.key] = time.monotonic()
        else:
            observer.progress(stage, news.done, news.total, news.unit)

    def _pay(self, attempt: str, paid: Usage) -> None:
        self._ledger.add_paid(paid - self._paid.get(attempt, Usage()))
        self._paid[attempt] = paid

    def _end_late(self) -> None:
        """End stages in which a plug-in works that take longer than they may."""
        for task, stage in self._tasks.items():
            began = self._begun.get(stage.key, math.inf)
            is_late = self._timeout is not None and time.monotonic() - began > self._timeout
            if is_late and stage.key not in self._late and plugin_classes(stage):
                self._late.add(stage.key)
                ray.cancel(task, force=True)

    def _result(self, stage: Stage, task: Any, is_late: bool) -> Manifest | None:
        try:
            report: StageReport = ray.get(task)
        except ray.exceptions.RayError as error:
            words = f"it ran longer than the timeout of {clock(self._timeout or 0)}" if is_late else _last_words(error)
            fault = StageFault.of_process(words, str(error), plugin_classes(stage))
            raise StageProcessError(fault) from None
        self._pay(report.attempt, report.paid)
        if report.fault is not None:
            raise StageProcessError(report.fault)
        await_artefact(stage, self._store)
        return report.manifest


def _last_words(error: Exception) -> str:
    """Why a task ended without a report."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"its worker ended before the stage was done, and so did {_RETRIES} more: {type(error).__name__}: {first}"
