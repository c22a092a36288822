"""One server for all who ask it, in whatever thread or process: started once, renewed where it ended, stopped when
nobody needs it, and gone with its owner. The server is a small script."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from harness.errors import UserError
from harness.llm.backend import FatalProviderError
from harness.llm.endpoints.endpoint import Endpoint, using_endpoints
from harness.llm.endpoints.endpoint_desk import DistantEndpoints
from harness.llm.endpoints.lent_server import LentServer
from harness.llm.endpoints.server_launch import ServerLaunch
from harness.llm.endpoints.server_pool import ServerPool
from harness.llm.retry_rules import TransientError
from tests.llm.test_server_process import ROOT, fake, left, logs, mark, wait_until

__all__ = ["fake", "logs", "mark"]
pytestmark = pytest.mark.slow


@pytest.fixture
def starts(tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """Processes of servers, in the order in which they were started."""
    file = tmp_path / "starts"
    monkeypatch.setenv("STARTS", str(file))
    return lambda: [int(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def launch(fake: Path) -> ServerLaunch:
    words = (str(fake), "serve", "--port", "{port}", "--served-model-name", "fake")
    return ServerLaunch("mark", "fake", words, timeout=60, key_variable="VLLM_API_KEY")


@pytest.fixture
def pool(mark: str) -> Iterator[ServerPool]:
    """Nothing of it is left after the test."""
    with closing(ServerPool()) as found:
        yield found
    assert left(mark) == []


def ask(endpoint: Endpoint, key: str | None = None) -> int:
    """The status of an answer."""
    headers = {"Authorization": f"Bearer {endpoint.key if key is None else key}"}
    request = urllib.request.Request(f"{endpoint.url}/v1/chat/completions", b'{"model": "fake"}', headers)
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def kill(starts: Callable[[], list[int]]) -> None:
    victim = psutil.Process(starts()[-1])
    victim.kill()
    assert wait_until(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE)


def test_all_who_ask_at_once_get_one_server_until_nobody_needs_it(
    pool: ServerPool, launch: ServerLaunch, starts: Callable[[], list[int]], mark: str
) -> None:
    pool.need(["mark"])
    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(lambda _: pool.borrow(launch), range(4)))
    (endpoint,) = found
    assert len(starts()) == 1 and (ask(endpoint), ask(endpoint, "another")) == (200, 401)

    for _ in range(4):
        pool.give_back(launch)
    assert pool.borrow(launch) == endpoint, "it waits while it is needed"
    pool.need([])
    assert ask(endpoint) == 200, "what is asked is not stopped"
    pool.give_back(launch)
    assert left(mark) == [] and pool.marks == frozenset() and len(starts()) == 1


def test_what_nobody_asks_makes_room_and_is_started_again(
    pool: ServerPool, launch: ServerLaunch, starts: Callable[[], list[int]], mark: str
) -> None:
    pool.need(["mark"])
    first = pool.borrow(launch)
    pool.stop_idle()
    assert ask(first) == 200
    pool.give_back(launch)
    pool.stop_idle(but="mark")
    assert pool.marks == {"mark"}
    pool.stop_idle()
    assert left(mark) == []
    assert pool.borrow(launch).number == first.number + 1 and len(starts()) == 2


def test_one_that_ended_between_two_stages_is_said_and_replaced(
    pool: ServerPool, launch: ServerLaunch, starts: Callable[[], list[int]], caplog: pytest.LogCaptureFixture
) -> None:
    pool.need(["mark"])
    first = pool.borrow(launch)
    pool.give_back(launch)
    kill(starts)
    with caplog.at_level(logging.WARNING):
        second = pool.borrow(launch)
    assert "ended while no stage asked it (fake): a new one is started" in caplog.text
    assert second.number == first.number + 1 and ask(second) == 200 and len(starts()) == 2


def test_those_under_whom_it_ends_share_a_new_one(
    pool: ServerPool, launch: ServerLaunch, starts: Callable[[], list[int]]
) -> None:
    asked: list[int] = []

    async def stage() -> int:
        async def one() -> int:
            number = server.endpoint.number
            asked.append(number)
            if number == asked[0]:
                while len(asked) < 3:
                    await asyncio.sleep(0.01)
                if len(starts()) == 1 and psutil.pid_exists(starts()[0]):
                    kill(starts)
                raise TransientError("cut off")
            return number

        return await server.persist(one)

    async def all_stages() -> list[int]:
        await server.open_async()
        return await asyncio.gather(*(stage() for _ in range(3)))

    with using_endpoints(pool):
        server = LentServer(launch)
    try:
        assert asyncio.run(all_stages()) == [asked[0] + 1] * 3
    finally:
        server.close()
    assert len(starts()) == 2


def test_what_ends_three_servers_is_an_error_with_their_last_words(
    launch: ServerLaunch, starts: Callable[[], list[int]], mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "dies later")
    server = LentServer(launch)

    async def one() -> None:
        try:
            ask(server.endpoint)
        except OSError as error:
            raise TransientError(str(error)) from error

    async def all_tries() -> None:
        await server.open_async()
        await server.persist(one)

    with pytest.raises(FatalProviderError, match=r"ended while it was asked[\s\S]*out of luck"):
        asyncio.run(all_tries())
    server.close()
    assert len(starts()) == 3 and left(mark) == []


def test_a_server_that_is_well_is_not_blamed(pool: ServerPool, launch: ServerLaunch) -> None:
    with using_endpoints(pool):
        server = LentServer(launch)

    async def one() -> None:
        raise TransientError("503")

    async def all_tries() -> None:
        await server.open_async()
        await server.persist(one)

    with pytest.raises(TransientError, match="503"):
        asyncio.run(all_tries())
    assert pool.marks == {"mark"}
    server.close()
    assert pool.marks == frozenset()


def test_who_waits_for_a_server_hears_that_all_ends(
    pool: ServerPool, launch: ServerLaunch, starts: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "hangs")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.borrow, launch)
        assert wait_until(starts)
        pool.close()
        with pytest.raises(UserError):
            waiting.result(60)
    with pytest.raises(UserError, match="the sweep ends"):
        pool.borrow(launch)


_WORKER = """
import pickle, sys, time
from harness.llm.endpoints.endpoint_desk import DistantEndpoints
address, launch = pickle.loads(sys.stdin.buffer.read())
endpoints = DistantEndpoints(address)
print(endpoints.borrow(launch).url, flush=True)
time.sleep(600)
"""


def test_a_worker_borrows_at_the_desk_and_gives_back_by_dying(
    pool: ServerPool, launch: ServerLaunch, starts: Callable[[], list[int]]
) -> None:
    import pickle

    words = [sys.executable, "-c", _WORKER]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    worker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment)
    try:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(pickle.dumps((pool.desk, launch)))
        worker.stdin.close()
        url = worker.stdout.readline().decode().strip()
        own = DistantEndpoints(pool.desk)
        endpoint = own.borrow(launch)
        assert endpoint.url == url and len(starts()) == 1
        assert own.fault(launch, endpoint.number) is None
        assert "the process that had it" in str(own.fault(launch, endpoint.number - 1))
        own.give_back(launch)
        assert pool.marks == {"mark"}, "the worker asks it"
    finally:
        worker.kill()
        worker.wait()
    assert wait_until(lambda: not pool.marks)
    own.borrow(launch)
    own.close()
    assert wait_until(lambda: not pool.marks) and len(starts()) == 2


def test_an_error_of_the_owner_is_the_worker_s(
    pool: ServerPool, launch: ServerLaunch, monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    monkeypatch.setenv("FAKE", "dies")
    with closing(DistantEndpoints(pool.desk)) as own, pytest.raises(UserError, match=r"exit status 3[\s\S]*no memory"):
        own.borrow(launch)
