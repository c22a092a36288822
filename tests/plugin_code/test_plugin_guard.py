"""Code of a plug-in in the process of a command: it has a limit of time, cannot end the process, and leaves it where it
was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.plugin_code.plugin_guard import plugin_guard


def _loop() -> None:
    while True:
        time.sleep(0.01)


def _swallow() -> None:
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            continue


def _wait() -> None:
    threading.Event().wait()


@pytest.mark.parametrize("endless", [_loop, _swallow, _wait])
def test_what_never_ends_is_stopped_where_it_is(endless: Callable[[], None]) -> None:
    with pytest.raises(TimeoutError, match=r"longer than the timeout of 0\.2 s") as raised, plugin_guard(0.2):
        endless()
    steps = traceback.extract_tb(raised.value.__traceback__)
    assert endless.__name__ in [step.name for step in steps]
    assert not Path(steps[-1].filename).samefile(sys.modules["harness.plugin_code.plugin_guard"].__file__ or "")


def test_it_cannot_end_the_process_but_its_own_children_end(tmp_path: Path) -> None:
    real = os._exit
    with pytest.raises(RuntimeError, match=r"it called os\._exit\(3\)"), plugin_guard(60):
        os._exit(3)
    with plugin_guard(60):
        child = os.fork()
        if child == 0:
            os._exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
    assert os._exit is real


def test_another_folder_is_left_again(tmp_path: Path) -> None:
    before = Path.cwd()
    with plugin_guard(60):
        os.chdir(tmp_path)
    assert Path.cwd() == before
    with pytest.raises(KeyError), plugin_guard(60):
        os.chdir(tmp_path)
        raise KeyError
    assert Path.cwd() == before


def test_timers_of_others_go_on_afterwards() -> None:
    def ring(number: int, frame: object) -> None:
        raise AssertionError

    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, 1000, 7)
    try:
        with plugin_guard(60), plugin_guard(0.001):
            time.sleep(0.05)
        assert signal.getsignal(signal.SIGALRM) is ring
        rest, interval = signal.getitimer(signal.ITIMER_REAL)
        assert (rest > 900, interval) == (True, 7)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def test_in_another_thread_nothing_is_timed() -> None:
    done = []

    def work() -> None:
        with plugin_guard(0.001):
            time.sleep(0.05)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_what_nothing_interrupts_ends_with_its_line() -> None:
    code = (
        "import harness.plugin_code.plugin_guard as guard\n"
        "guard._GRACE = 0.3\n"
        "with guard.plugin_guard(0.1):\n"
        "    while True:\n"
        "        try:\n"
        "            while True: pass\n"
        "        except BaseException: continue\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Timeout" in done.stderr and 'File "<string>", line 6' in done.stderr
