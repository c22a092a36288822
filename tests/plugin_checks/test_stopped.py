"""A contract that a plug-in never lets end, or that would end the process, is broken, and the next one is tried."""

from __future__ import annotations

import os
import time

from harness.plugin_checks.check import Check, run_checks


def _loop(setting: object) -> None:
    while True:
        time.sleep(0.01)


def _leave(setting: object) -> None:
    os._exit(3)


def _end(setting: object) -> None:
    raise GeneratorExit


def _pass(setting: object) -> None:
    return


def test_each_is_broken_in_words_and_the_others_are_tried() -> None:
    contracts = [Check(tried.__name__, "ends", "mend it", tried) for tried in (_loop, _leave, _end, _pass)]
    report = run_checks("baseline", "mine", None, contracts, lambda done, total, unit="": None, timeout=0.3)
    assert [(one.state, one.detail) for one in report.contracts] == [
        ("broken", "it raises TimeoutError: it ran longer than the timeout of 0.3 s"),
        ("broken", "it raises RuntimeError: it called os._exit(3), which would have ended the command"),
        ("broken", "it raises GeneratorExit"),
        ("kept", ""),
    ]
