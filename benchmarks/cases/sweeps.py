"""Planning and replaying a sweep of 1,000 cells that is finished already."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any, ClassVar

from benchmarks.case import Case, Goal, Timed, within
from benchmarks.timing import timed


class CachedSweep(Case):
    """Runs a command of the harness on the sweep, as people do, start of the process included."""

    material: ClassVar[str] = "cached-sweep"

    @property
    def resamples(self) -> int:
        """Each has 200 cells."""
        return 1 if self.quick else 5

    @property
    def cells(self) -> int:
        """With two references."""
        return 200 * self.resamples + 2

    def prepare(self) -> None:
        from benchmarks.cached_sweep import fill, write_sweep

        assert fill(write_sweep(self.folder, self.resamples), self.folder / "workspace") == self.cells
        # The first replay publishes; it also compiles the Python files where they are not yet.
        self.told("sweep", *self.results)

    @property
    def results(self) -> tuple[str, str]:
        """The option that says where runs are published."""
        return "--results", str(self.folder / "results")

    def said(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """The command of the harness on the sweep, ended."""
        call = [
            sys.executable,
            "-c",
            "from harness.cli.main import main; main()",
            command,
            str(self.folder / "sweep.yaml"),
        ]
        return subprocess.run(
            [*call, "--workspace", str(self.folder / "workspace"), *options], capture_output=True, text=True, check=True
        )

    def told(self, command: str, *options: str) -> dict[str, Any]:
        """What it prints as JSON."""
        found: dict[str, Any] = json.loads(self.said(command, "--json", *options).stdout)
        return found


class Planning(CachedSweep):
    """``harness plan``."""

    name: ClassVar[str] = "planning a sweep"
    rounds: ClassVar[tuple[int, int]] = (3, 5)

    def work(self) -> str:
        return f"harness plan, {self.cells:,} cells, all artefacts there"

    def ours(self) -> Timed:
        seconds, told = timed(lambda: self.told("plan"))
        assert told["stages"]["cached"] == told["stages"]["distinct"]
        return Timed(seconds, note=f"{told['stages']['distinct']:,} distinct stages", peak_mb=_children_mb())

    def limits(self) -> tuple[Goal, ...]:
        return (within(1.0),)


class Replaying(CachedSweep):
    """``harness sweep`` with nothing left to do but to show its board."""

    name: ClassVar[str] = "replaying a sweep"
    rounds: ClassVar[tuple[int, int]] = (2, 3)

    def work(self) -> str:
        return f"harness sweep, {self.cells:,} cells, all artefacts and results there"

    def ours(self) -> Timed:
        seconds, ended = timed(lambda: self.said("sweep", *self.results))
        assert f"{self.cells} of {self.cells} cells done" in ended.stderr and " 0 stages ran" in ended.stderr
        return Timed(seconds, peak_mb=_children_mb())

    def limits(self) -> tuple[Goal, ...]:
        return (within(round(2 + 0.005 * self.cells, 2)),)


def _children_mb() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
