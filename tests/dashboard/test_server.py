"""The server ends with the command that started it, and a port that is taken is named."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from dashboard.server import answers, page_address
from harness.ports import free_port

pytestmark = pytest.mark.slow


def started(folder: Path, port: int) -> subprocess.Popen[str]:
    words = ["dashboard", "--results", str(folder), "--port", str(port)]
    return subprocess.Popen([sys.executable, "-m", "harness", *words], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_told_of_when_it_answers_and_ends_with_the_command(folder: Path, ending: signal.Signals) -> None:
    port = free_port()
    command = started(folder, port)
    assert command.stderr is not None
    try:
        line = next(line for line in command.stderr if "dashboard of" in line)
        assert f"http://localhost:{port}" in line
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5) as answer:
            assert answer.read() == b"ok"
        (server,) = psutil.Process(command.pid).children(recursive=True)
    finally:
        command.send_signal(ending)
    assert command.wait(timeout=30) == 128 + ending
    assert not server.is_running()


def test_it_is_told_of_where_the_environment_names_a_proxy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        # Nobody listens there.
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        server = subprocess.Popen([sys.executable, "-m", "http.server", str(port := free_port())])
        try:
            assert answers(server, f"http://127.0.0.1:{port}/")
        finally:
            server.terminate()
            server.wait(timeout=20)


def test_an_address_of_ipv6_is_one_that_a_browser_takes() -> None:
    assert page_address("::1", 8501) == "http://[::1]:8501"
    assert page_address("localhost", 80) == "http://localhost:80"


def test_a_port_that_is_taken_is_named_with_one_that_is_free(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = started(folder, port)
        _, told = command.communicate(timeout=60)
    assert command.returncode == 2
    assert f"port {port} at localhost is taken" in told and "harness dashboard --port" in told
