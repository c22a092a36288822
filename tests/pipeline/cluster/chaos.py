"""Rounds of a sweep on two nodes in which something dies: ``python -m tests.pipeline.cluster.chaos --rounds 50``.

Each round picks, by its seed, what happens and when; afterwards the same command runs again. The artefacts are those of
an undisturbed run, to the bit; the ledger holds each question once, nothing stays reserved, and no process of a stage
is left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from tests.interrupts import heed_interrupts
from tests.llm.openai_server import Server, serving
from tests.pipeline.jobs.test_side_by_side import ROOT, SWEEP, hashes
from tests.pipeline.two_nodes import TwoNodes

FAULTS = ("worker", "node", "keeper", "driver", "storage", "429")
_CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}
"""How a sweep ends that is ended so."""
_PATIENCE = 240.0
_OTHERS = ("IDLE", "Keeper", "DashboardAgent", "RuntimeEnvAgent")
"""Processes of Ray that run no stage."""
_STORED = 22
"""Artefacts after which a fault happens, at the most."""


class Chaos:
    """One cluster, one provider, and the undisturbed run; each round has a workspace of its own below `folder`."""

    def __init__(self, folder: Path, two_nodes: TwoNodes, server: Server) -> None:
        self._folder, self._nodes, self._server = folder, two_nodes, server
        os.environ["OPENAI_API_KEY"] = "sk-test"
        (folder / "sweep.yaml").write_text(SWEEP.format(url=server.url))
        plan = Workspace(folder / "undisturbed").plan(folder / "sweep.yaml")
        assert plan.run(folder / "undisturbed-results", observer=NullObserver()).failures == {}
        self._expected, self._questions = hashes(folder / "undisturbed"), set(server.answered)

    def round(self, number: int, seed: int, fault: str | None = None) -> dict[str, Any]:
        """What happened in one round: ``{"round", "fault", "after", "seconds", "twice"}``. Raises AssertionError."""
        chance, begun = random.Random(f"{seed} {number}"), time.monotonic()
        fault, after = fault or chance.choice(FAULTS), chance.randrange(_STORED)
        home = self._folder / f"round{number}"
        home.mkdir()
        self._nodes.complete()
        self._server.answered.clear()
        self._server.latency = chance.choice((0.02, 0.2))
        driver = self._start(home)
        until(lambda: len(self._stored(home)) >= after or driver.poll() is not None)
        getattr(self, f"_{fault.replace('429', 'storm')}")(home, driver, chance)
        told, _ = driver.communicate(timeout=_PATIENCE)
        self._calm(home)
        for _ in range(2):
            if driver.returncode == 0:
                break
            driver = self._start(home)
            told, _ = driver.communicate(timeout=_PATIENCE)
        assert driver.returncode == 0, told
        seconds = round(time.monotonic() - begun)
        return {"round": number, "fault": fault, "after": after, "seconds": seconds, **self._verdict(home)}

    def _verdict(self, home: Path) -> dict[str, Any]:
        assert hashes(home / "workspace") == self._expected, "other bits"
        assert set(self._server.answered) == self._questions, "other questions"
        with Workspace(home / "workspace") as workspace:
            workspace.ledger.tidy()
            assert len(workspace.ledger) == len(self._questions), "answers were lost"
            there = workspace.ledger.balance(None)
            assert there.reserved == 0 and workspace.ledger.under_way(None) == 0, "money stays reserved"
        until(lambda: not self._nodes.workers("Keeper") and not self._nodes.workers("labels"))
        return {"twice": sum(self._server.answered.values()) - len(self._questions)}

    def _start(self, home: Path) -> subprocess.Popen[str]:
        options = ("--workspace", str(home / "workspace"), "--results", str(home / "results"), "--json")
        command = [sys.executable, "-m", "harness", "sweep", str(self._folder / "sweep.yaml"), *options]
        return subprocess.Popen(
            [*command, "--executor", "ray", "--address", self._nodes.address],
            preexec_fn=heed_interrupts,
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def _stored(self, home: Path) -> list[Path]:
        return list((home / "workspace" / "store").glob("*/*/artefact.json"))

    def _worker(self, home: Path, driver: subprocess.Popen[str], chance: random.Random) -> None:
        others = {one.pid for name in _OTHERS for one in self._nodes.workers(name)}
        if busy := [one for one in self._nodes.workers("") if one.pid not in others]:
            with suppress(psutil.NoSuchProcess):
                chance.choice(busy).kill()

    def _node(self, home: Path, driver: subprocess.Popen[str], chance: random.Random) -> None:
        self._nodes.lose()
        time.sleep(chance.random())
        self._nodes.complete()

    def _keeper(self, home: Path, driver: subprocess.Popen[str], chance: random.Random) -> None:
        for keeper in self._nodes.workers("Keeper"):
            keeper.kill()

    def _driver(self, home: Path, driver: subprocess.Popen[str], chance: random.Random) -> None:
        number, code = chance.choice([*_CODES.items()])
        driver.send_signal(number)
        assert driver.wait(_PATIENCE) in (code, 0)

    def _storage(self, home: Path, driver: subprocess.Popen[str], chance: random.Random) -> None:
        """Nothing more can be written of a kind that is made late."""
        kind = home / "workspace" / "store" / chance.choice(("retriever", "evaluate", "dense-search"))
        with suppress(OSError):
            kind.touch(exist_ok=False)

    def _storm(self, home: Path, driver: subprocess.Popen[str], chance: random.Random) -> None:
        self._server.faults, self._server.rate = ("429",), 0.7

    def _calm(self, home: Path) -> None:
        self._server.faults = ()
        for kind in (home / "workspace" / "store").glob("*"):
            if kind.is_file():
                kind.unlink()


def until(holds: Callable[[], bool]) -> None:
    """Wait for it. Raises AssertionError where it takes too long."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    two_nodes = TwoNodes()
    try:
        with tempfile.TemporaryDirectory(prefix="harness-chaos-") as folder, serving(Server()) as server:
            chaos = Chaos(Path(folder), two_nodes, server)
            for number in range(wanted.rounds):
                print(json.dumps(chaos.round(number, wanted.seed)), flush=True)
    finally:
        two_nodes.close()


if __name__ == "__main__":
    main()
