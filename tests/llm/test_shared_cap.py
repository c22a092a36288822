"""Many processes under one cap, measured by the provider's own bill: it holds, and no question is answered twice."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.progress import silent
from harness.teachers.litellm import LiteLLM
from harness.teachers.make import teacher_from
from tests.llm.openai_server import Server, serving

PRICE = {"input": 100.0, "output": 400.0}
FAULTS = ("429", "500", "truncated", "empty", "refused", "close")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.01)


def teacher(url: str, **settings: Any) -> LiteLLM:
    made = teacher_from(
        {
            "kind": "litellm",
            "model": "openai/gpt-4.1-mini",
            "api_base": url,
            "price": PRICE,
            "concurrency": 8,
            **settings,
        }
    )
    assert isinstance(made, LiteLLM)
    return made


def tasks(numbers: range) -> list[Task]:
    return [
        Task(
            f"q{number}",
            f"query {number}",
            tuple(Candidate(f"d{rank}", f"rank {rank} of {number}") for rank in range(5)),
        )
        for number in numbers
    ]


@pytest.fixture(autouse=True)
def _warm(_key: None, tmp_path: Path) -> None:
    """What labelling imports is imported once, not in each process."""
    with serving(Server()) as server:
        Labeller(tmp_path / "warm.sqlite", "", None, range(1)).label(server.url)


@dataclass
class Labeller:
    """A process that labels some queries through a ledger."""

    ledger: Path
    account: str
    limit: float | None
    numbers: range
    workspace_limit: float | None = None
    attempts: int = 10

    def label(self, url: str) -> tuple[int, float, str]:
        """Calls and USD that it counts, and what stopped it."""
        ledger = Ledger(self.ledger)
        ledger.account, ledger.limit, ledger.workspace_limit = self.account, self.limit, self.workspace_limit
        error = ""
        try:
            list(teacher(url, attempts=self.attempts).label(tasks(self.numbers), ledger, silent))
        except UserError as stop:
            error = str(stop)
        ledger.close()
        return ledger.paid.calls, ledger.paid.usd, error


def _child(labeller: Labeller, pipe: Connection) -> None:
    pipe.send(labeller.label(pipe.recv()))


def run(labellers: list[Labeller], server: Server) -> list[tuple[int, float, str]]:
    """All at once, each in a process of its own; they are forked before the server has threads."""
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe() for _ in labellers]
    workers = [
        context.Process(target=_child, args=(labeller, child))
        for labeller, (_, child) in zip(labellers, pipes, strict=True)
    ]
    for worker in workers:
        worker.start()
    with serving(server):
        for parent, _ in pipes:
            parent.send(server.url)
        found = [parent.recv() for parent, _ in pipes]
    for worker in workers:
        worker.join()
    return found


def stages(seed: int, build: Callable[[range], Labeller]) -> Iterator[Labeller]:
    """Eight label stages whose queries overlap."""
    draw = random.Random(seed)
    for _ in range(8):
        start = draw.randrange(40)
        yield build(range(start, start + draw.randrange(20, 60)))


def check(seed: int, tmp_path: Path, faults: tuple[str, ...]) -> None:
    """Eight stages of two sweeps: the cap of each holds, the workspace's too, and nothing is answered twice."""
    path, cap = tmp_path / f"{seed}.sqlite", 0.4 + 0.1 * (seed % 5)
    server = Server(latency=0.02, faults=faults, rate=0.2 if faults else 0.0)
    names = iter("aaaabbbb")
    told = run(list(stages(seed, lambda numbers: Labeller(path, next(names), cap, numbers, 1.5 * cap))), server)
    assert max(server.answered.values()) == 1, "an answer was paid for twice"
    assert 0 < server.billed(PRICE["input"], PRICE["output"]) <= 1.5 * cap
    assert sum(usd for _, usd, _ in told) == pytest.approx(server.billed(PRICE["input"], PRICE["output"]))
    ledger = Ledger(path)
    assert all(0 < ledger.balance(name).paid <= cap for name in "ab")
    assert ledger.balance(None).paid == pytest.approx(server.billed(PRICE["input"], PRICE["output"]))
    assert ledger.balance(None).reserved == 0 == ledger.under_way(None)


@pytest.mark.parametrize("seed", range(2))
def test_two_sweeps_of_eight_stages_keep_their_caps(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path, FAULTS if seed % 2 else ())


@pytest.mark.slow
def test_twenty_seeds(tmp_path: Path) -> None:
    for seed in range(20):
        check(seed, tmp_path, FAULTS if seed % 2 else ())


def test_nobody_asks_what_another_is_asking(tmp_path: Path) -> None:
    server, path = Server(latency=0.05), tmp_path / "ledger.sqlite"
    told = run([Labeller(path, "", None, range(60)) for _ in range(3)], server)
    assert sum(server.answered.values()) == len(server.answered) == 60 == sum(calls for calls, _, _ in told)
    assert all(not error for _, _, error in told)


def test_a_later_run_goes_on_under_the_same_cap(tmp_path: Path) -> None:
    server, path, cap = Server(), tmp_path / "ledger.sqlite", 0.3
    with serving(server):
        for number in range(3):
            _, _, error = Labeller(path, "sweep", cap, range(40 * number, 40 * number + 40)).label(server.url)
            assert "--max-cost" in error
        assert 0 < server.billed(PRICE["input"], PRICE["output"]) <= cap
        assert "USD and only" in error and "this sweep, in all its runs" in error
        _, _, error = Labeller(path, "other", None, range(200), 0.5).label(server.url)
    assert "--max-cost-workspace" in error and 0.3 < server.billed(PRICE["input"], PRICE["output"]) <= 0.5


@dataclass
class Unanswering(Server):
    """Has no answer to query 3, in the way that `fault` says; counts what it was asked about it."""

    fault: str = "empty"
    asked: int = 0

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        if "rank 0 of 3" not in body["messages"][-1]["content"]:
            return await super()._respond(request, body, fault)
        self.asked += 1
        if self.fault == "400":
            return web.json_response({"error": {"message": "cannot be answered"}}, status=400)
        return await super()._respond(request, body, self.fault)


@pytest.mark.parametrize(
    ("fault", "tries"), [("empty", 3), ("truncated", 1), ("refused", 1), ("garbage", 2), ("400", 1)]
)
def test_a_final_failure_is_paid_for_once_by_parallel_processes(fault: str, tries: int, tmp_path: Path) -> None:
    server, path = Unanswering(latency=0.1, fault=fault), tmp_path / "ledger.sqlite"
    told = run([Labeller(path, "", 1.0, range(8), attempts=2) for _ in range(3)], server)
    assert [error for _, _, error in told] == [""] * 3
    assert server.asked == tries, "what one process gave up is not asked by another"
    ledger = Ledger(path)
    assert len(ledger) == 7 and ledger.under_way(None) == 0 == ledger.balance(None).reserved
