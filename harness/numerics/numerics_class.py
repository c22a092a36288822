"""In which arithmetic models compute: the bits of what they make depend on it, so it stands in keys.

A sweep resolves it once, before its stages are planned (harness/device.py); stages and teachers hold what was resolved,
wherever they run.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

Device = Literal["cpu", "cuda"]
Precision = Literal["fp32", "bf16"]
NumericsClass = Literal["cpu-fp32", "cpu-bf16", "cuda-fp32", "cuda-bf16"]
NumericsChoice = Literal["auto", NumericsClass]
"""What a sweep file may say; auto is the class of the machine that plans."""

_UNMARKED = "cpu-bf16"
"""Keys held no numerics once, and the runs that were published then are of this class, in one thread: its keys stay."""


class Numerics(NamedTuple):
    """Device and precision of models, and the threads that a stage computes with."""

    device: Device = "cpu"
    precision: Precision = "fp32"
    threads: int = 1

    @classmethod
    def of(cls, name: NumericsClass) -> Numerics:
        """Those of a class, ``cuda-bf16``, with one thread."""
        device, precision = name.split("-")
        return cls(cast(Device, device), cast(Precision, precision))

    @property
    def name(self) -> str:
        """The class, such as ``cuda-bf16``."""
        return f"{self.device}-{self.precision}"

    def __str__(self) -> str:
        """The class, and the threads, which change bits, from the second on."""
        return self.name if self.threads == 1 else f"{self.name}, {self.threads} threads"

    @property
    def stage_mark(self) -> str | None:
        """What stands in the key of a stage."""
        return None if str(self) == _UNMARKED else str(self)

    @property
    def teacher_mark(self) -> str:
        """What stands in the identity of a teacher: the precision, which always stood there, and all else where it is
        not one thread of a CPU."""
        return str(self).removeprefix("cpu-") if str(self) == self.name else str(self)

    def at(self, precision: Literal["auto", "fp32", "bf16"]) -> Numerics:
        """With the precision that somebody asked for; auto is their own."""
        return self if precision == "auto" else self._replace(precision=precision)
