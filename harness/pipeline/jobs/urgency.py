"""Which stages must not wait where several run at once, by the seconds that their kinds took before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from harness.stage import Stage


class Urgency:
    """Called with the stages that still wait: those whose way to the end would last longer than all other work, and
    those that somebody outside is asked for at its end, each with the seconds of that way.

    All others may go cell by cell, as with one job: then a sweep that is ended early leaves whole cells on the board.
    With the longest way first all cells end together, in the last minutes.
    """

    def __init__(self, waiting: Mapping[str, Stage], past: Mapping[str, float], jobs: int) -> None:
        """`waiting` has inputs before what reads them; `past` are mean seconds by kind; `jobs` run at once."""
        self._jobs = max(jobs, 1)
        own = {key: past.get(stage.kind, _guess(stage)) for key, stage in waiting.items()}
        self.seconds = path_seconds(waiting, past)
        self._computing = {key: seconds for key, seconds in own.items() if waiting[key].resources.cpu > 0}
        self._asking = _before_service(waiting)

    def __call__(self, waiting: Mapping[str, Stage]) -> dict[str, float]:
        to_go = sum(self._computing.get(key, 0.0) for key in waiting) / self._jobs
        return {key: self.seconds[key] for key in waiting if key in self._asking or self.seconds[key] >= to_go}


def path_seconds(waiting: Mapping[str, Stage], past: Mapping[str, float]) -> dict[str, float]:
    """Of each waiting stage (inputs come first in `waiting`) the seconds from its start to the end of the longest chain
    of stages that rest on it; `past` are mean seconds by kind."""
    after, found = defaultdict[str, float](float), dict[str, float]()
    for key, stage in reversed(list(waiting.items())):
        found[key] = after[key] + past.get(stage.kind, _guess(stage))
        for needed in stage.inputs():
            after[needed.key] = max(after[needed.key], found[key])
    return found


def _guess(stage: Stage) -> float:
    """Seconds of a kind that never ran here: what matters is what takes longest, asking others."""
    return 60.0 if stage.resources.cpu == 0 else 10.0 if stage.trains else 1.0


def _before_service(waiting: Mapping[str, Stage]) -> frozenset[str]:
    """Stages that take no core, since they wait for others, and all that these rest on."""
    found = set[str]()
    for key, stage in reversed(list(waiting.items())):
        if stage.resources.cpu == 0:
            found.add(key)
        if key in found:
            found.update(needed.key for needed in stage.inputs())
    return frozenset(found)
