"""How far a sweep is, counted once for its live view and for those who follow its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Stages that are to be made, by kind and state, and the time they took."""

    total: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    """Those that rest on a failed one included."""
    seconds: Counter[str] = field(default_factory=Counter)

    def plan(self, kinds: Iterable[str]) -> None:
        """Stages of these kinds are to be made."""
        self.total.update(kinds)

    def finish(self, kind: str, seconds: float = 0.0) -> None:
        """One is made, here in so many seconds or by another process."""
        self.done[kind] += 1
        self.seconds[kind] += seconds  # type: ignore[assignment]  # Counter adds floats as well

    def fail(self, kinds: Iterable[str]) -> None:
        """Stages of these kinds will not be made."""
        self.failed.update(kinds)

    @property
    def ended(self) -> int:
        """How many are made or will not be."""
        return self.done.total() + self.failed.total()

    def remaining(self, past: Mapping[str, float]) -> float | None:
        """Seconds still to go, from the mean time of each kind here or in `past`; None while a waiting kind has no
        known time."""
        rest = 0.0
        for kind, total in self.total.items():
            waiting = total - self.done[kind] - self.failed[kind]
            mean = self.mean(kind, past)
            if waiting and mean is None:
                return None
            rest += waiting * (mean or 0.0)
        return rest

    def mean(self, kind: str, past: Mapping[str, float]) -> float | None:
        """Mean seconds of a kind of stage, here or else in `past`."""
        return self.seconds[kind] / self.done[kind] if self.done[kind] else past.get(kind)
