"""Runs the sides of cases, one process after another, in turns where a case has several rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.case import Case, Measured, Peer

ROOT = Path(__file__).parents[1]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """Ours against one peer, or alone against a limit; `failure` says why there is nothing to compare."""

    name: str
    work: str
    peer: str
    ours: Measured | None
    theirs: Measured | None
    quality: str = ""
    goal: str = ""
    met: bool | None = None
    failure: str = ""

    @property
    def ratio(self) -> float | None:
        """Above 1, ours is faster."""
        return self.theirs.seconds / self.ours.seconds if self.ours and self.theirs else None


class SideFailed(Exception):
    """The last line that a side's process wrote before it ended with an error."""


@dataclass(frozen=True)
class Runner:
    """Measures cases; what they prepare lies in folders of `home`."""

    home: Path
    quick: bool
    tell: Tell

    def rows(self, kind: type[Case]) -> Iterator[Row]:
        """One row a peer, and one a limit."""
        case = kind(self.quick, self.home / (kind.material or kind.name))
        peers = case.peers()
        try:
            self._prepare(case)
            sides = self._rounds(case, peers)
        except SideFailed as error:
            yield Row(case.name, case.work(), "", None, None, failure=str(error))
            return
        ours = sides["ours"]
        for number, peer in enumerate(peers):
            theirs = sides[str(number)]
            verdict = (peer.goal.text, peer.goal.met(ours, theirs)) if peer.goal else ("", None)
            yield Row(case.name, case.work(), peer.name, ours, theirs, case.quality, *verdict)
        for goal in case.limits():
            yield Row(case.name, case.work(), "", ours, None, case.quality, goal.text, goal.met(ours, None))

    def _prepare(self, case: Case) -> None:
        if not case.folder.is_dir():
            self.tell(f"{case.name}: preparing")
            case.folder.mkdir(parents=True)
            self._run(case, "prepare", {})

    def _rounds(self, case: Case, peers: tuple[Peer, ...]) -> dict[str, Measured]:
        found: dict[str, Measured] = {}
        rounds = case.rounds[0 if self.quick else 1]
        for number in range(rounds):
            self._side(case, "ours", "ours", {}, found)
            for place, peer in enumerate(peers):
                if number < (peer.rounds or rounds):
                    self._side(case, str(place), peer.name, dict(peer.environment), found)
        return found

    def _side(self, case: Case, side: str, shown: str, environment: dict[str, str], found: dict[str, Measured]) -> None:
        self.tell(f"{case.name}: {shown}")
        new = self._run(case, side, environment)
        old = found.get(side, new)
        found[side] = Measured(min(old.seconds, new.seconds), max(old.peak_mb, new.peak_mb), new.quality, new.note)

    def _run(self, case: Case, side: str, environment: dict[str, str]) -> Measured:
        out = self.home / "side.json"
        out.unlink(missing_ok=True)
        command = [sys.executable, "-m", "benchmarks.side", case.name, side, str(case.folder), str(out)]
        ended = subprocess.run(
            [*command, *(["--quick"] if self.quick else [])],
            cwd=ROOT,
            env=_environment() | environment,
            capture_output=True,
            text=True,
        )
        if ended.returncode != 0:
            raise SideFailed(f"{side}: {(ended.stderr.strip().splitlines() or [f'ended with {ended.returncode}'])[-1]}")
        return Measured(**json.loads(out.read_text(encoding="utf-8"))) if out.is_file() else Measured(0.0, 0.0)


def _environment() -> dict[str, str]:
    """Without network and bars, and with compiled Python files, as an installed package has them."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
