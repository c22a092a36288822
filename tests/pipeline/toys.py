"""Small real stages: they read and write files, and say how often they ran."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.stage import Context, Stage, transport

RAN: list[str] = []


@dataclass(frozen=True, eq=False)
class Number(Stage):
    """Writes a number."""

    kind: ClassVar[str] = "number"
    value: int
    workers: int = transport(default=1)

    @property
    def label(self) -> str:
        return str(self.value)

    def run(self, out: Path, context: Context) -> None:
        RAN.append(self.kind)
        (out / "value.txt").write_text(str(self.value))


@dataclass(frozen=True, eq=False)
class Sum(Stage):
    """Adds the numbers its inputs wrote."""

    kind: ClassVar[str] = "sum"
    parts: tuple[Stage, ...]
    rank: int = 0

    @property
    def priority(self) -> int:
        return self.rank

    def run(self, out: Path, context: Context) -> None:
        RAN.append(self.kind)
        total = sum(int((context.path(part) / "value.txt").read_text()) for part in self.parts)
        context.progress(1, 1, "sums")
        (out / "value.txt").write_text(str(total))


@dataclass(frozen=True, eq=False)
class Broken(Stage):
    """Always raises."""

    kind: ClassVar[str] = "broken"
    after: Stage

    def run(self, out: Path, context: Context) -> None:
        raise RuntimeError("the teacher is out")
