"""What a benchmark case is: one piece of work done our way and by peers, each in a process of its own."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Timed:
    """What one side of a case measured in its process."""

    seconds: float
    quality: float | None = None
    """What the case's `quality` names; it shows that both did the same work."""
    note: str = ""
    peak_mb: float | None = None
    """Only where a child did the work; otherwise the process's own peak is taken."""


@dataclass(frozen=True)
class Measured:
    """One side over all rounds: the fastest, the largest peak of resident memory (libraries and data included)."""

    seconds: float
    peak_mb: float
    quality: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Goal:
    """What the project set itself, in words and as a question to ask of ours and the peer's (None: a limit without a
    peer)."""

    text: str
    met: Callable[[Measured, Measured | None], bool]


def faster(times: float, quality: float | None = None) -> Goal:
    """At least so many times as fast as the peer, with at least that share of its quality."""

    def met(ours: Measured, peer: Measured | None) -> bool:
        assert peer is not None
        good = quality is None or (ours.quality or 0.0) >= quality * (peer.quality or 0.0)
        return good and peer.seconds >= times * ours.seconds

    return Goal(f"{times:g} x" + (f" at {quality:.1%} of its quality" if quality else ""), met)


def within(seconds: float) -> Goal:
    """At most so many seconds."""
    return Goal(f"{seconds:g} s", lambda ours, _: ours.seconds <= seconds)


def below(megabytes: float) -> Goal:
    """A peak of resident memory below so many megabytes."""
    return Goal(f"{megabytes:,.0f} MB", lambda ours, _: ours.peak_mb < megabytes)


@dataclass(frozen=True)
class Peer:
    """Somebody else's way to do the same work."""

    name: str
    run: Callable[[], Timed]
    goal: Goal | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    rounds: int | None = None
    """How often it is measured, where that is less often than the case."""


class Case(ABC):
    """One file with one class; it is found by being in ``benchmarks/cases``. Heavy imports belong inside its
    methods."""

    name: ClassVar[str]
    quality: ClassVar[str] = ""
    """What number besides time both sides give."""
    material: ClassVar[str] = ""
    """Cases that name the same material share the folder that `prepare` fills, and are prepared once."""
    rounds: ClassVar[tuple[int, int]] = (1, 3)
    """How often each side is measured, quick and full, in turns; the fastest counts."""

    def __init__(self, quick: bool, folder: Path) -> None:
        self.quick = quick
        self.folder = folder

    def prepare(self) -> None:
        """Put into `folder` what the sides need; runs once in a process of its own and is not measured."""
        return

    @abstractmethod
    def work(self) -> str:
        """What is done, in numbers."""

    @abstractmethod
    def ours(self) -> Timed:
        """Our way."""

    def peers(self) -> tuple[Peer, ...]:
        """Whom we compare with."""
        return ()

    def limits(self) -> tuple[Goal, ...]:
        """Goals that need no peer."""
        return ()


@cache
def cases() -> dict[str, type[Case]]:
    """Every case by name, in the order of their files."""
    package = importlib.import_module("benchmarks.cases")
    modules = [
        importlib.import_module(info.name) for info in pkgutil.iter_modules(package.__path__, "benchmarks.cases.")
    ]
    found = [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    return {kind.name: kind for kind in found if issubclass(kind, Case) and "name" in vars(kind)}
