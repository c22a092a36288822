"""The graph of stages behind some cells: its closure, its order, and what is still to be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from harness.pipeline.store import DamagedArtefact, Store
from harness.stage import Stage


def closure(finals: Iterable[Stage]) -> dict[str, Stage]:
    """Every stage that `finals` rest on, themselves included, by key; inputs before what reads them."""
    found: dict[str, Stage] = {}

    def visit(stage: Stage) -> None:
        if stage.key in found:
            return
        for needed in stage.inputs():
            visit(needed)
        found[stage.key] = stage

    for final in finals:
        visit(final)
    return found


def missing(finals: Iterable[Stage], store: Store, verify: bool = False) -> dict[str, Stage]:
    """The stages that must run so that every final has its artefact, by key, inputs first.

    A stage whose artefact is there needs nothing below it. With `verify`, artefacts that a missing stage will read are
    compared with their hashes, and damaged ones are set aside and made again.
    """
    found: dict[str, Stage] = {}
    present: set[str] = set()

    def demand(stage: Stage, read: bool) -> None:
        if stage.key in found or (stage.key in present and not (verify and read)):
            return
        if store.has(stage) and not (verify and read and _damaged(stage, store)):
            present.add(stage.key)
            return
        for needed in stage.inputs():
            demand(needed, read=True)
        found[stage.key] = stage

    for final in finals:
        demand(final, read=False)
    return found


def _damaged(stage: Stage, store: Store) -> bool:
    try:
        store.read(stage)
    except DamagedArtefact:
        store.discard(stage)
        return True
    return False


@dataclass
class Queue:
    """Stages that wait, handed out when their inputs are done: those first that `urgent` says the seconds of, the most
    seconds before all, then the largest priority, then in the order given."""

    waiting: dict[str, Stage]
    urgent: Callable[[Mapping[str, Stage]], Mapping[str, float]] = lambda waiting: {}

    def __post_init__(self) -> None:
        self._rank = {key: number for number, key in enumerate(self.waiting)}

    def ready(self) -> list[Stage]:
        """Stages none of whose inputs still waits, best first."""
        free = [
            stage for stage in self.waiting.values() if not any(needed.key in self.waiting for needed in stage.inputs())
        ]
        urgent = self.urgent(self.waiting)
        return sorted(free, key=lambda one: (-urgent.get(one.key, 0.0), -one.priority, self._rank[one.key]))

    def done(self, stage: Stage) -> None:
        """Take a finished stage out."""
        del self.waiting[stage.key]

    def drop(self, stage: Stage) -> list[Stage]:
        """Take a failed stage out with everything that rests on it; returns the latter."""
        del self.waiting[stage.key]
        gone: list[Stage] = []
        lost = {stage.key}
        for other in list(self.waiting.values()):
            if any(needed.key in lost for needed in other.inputs()):
                lost.add(other.key)
                gone.append(self.waiting.pop(other.key))
        return gone
