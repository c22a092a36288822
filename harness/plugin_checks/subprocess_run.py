"""A trial in a process of its own: with other hash seeds and nothing kept from earlier runs, or killed while it
works."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from harness._lazy import lazy
from harness.plugin_checks.check import Broken
from harness.plugin_checks.check_setup import CheckSetup, CheckVariant
from harness.plugin_files import load_named_files
from harness.stage import Stage

sentence_transformers = lazy("sentence_transformers")


def run_in_subprocess(
    setup: CheckSetup, trial: CheckVariant, workspace: str, whole: bool = False, kill: tuple[str, float] | None = None
) -> None:
    """A trial of `setup` in another process, up to its target; with `whole` up to its run.

    `kill` names the key of a stage and seconds: SIGKILL so long after that stage began, or as soon as it is done.
    Raises Broken when the process fails.
    """
    kind = setup.method
    order = {
        "class": [kind.__module__, kind.__qualname__],
        "settings": setup.settings.model_dump(mode="json"),
        "home": str(setup.home),
        "trial": asdict(trial),
        "workspace": workspace,
        "whole": whole,
        "kill": kill,
    }
    # Another order of sets than in this process, which a method must not depend on.
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    # -P: with the working directory in its path it would find other modules than this process.
    command = [sys.executable, "-P", "-m", __name__, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode not in ((0, -signal.SIGKILL) if kill else (0,)):
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise Broken(f"in a process of its own it ends with: {last}")


def _found(module: str, name: str) -> Any:
    return reduce(getattr, name.split("."), importlib.import_module(module))


def _obey(order: dict[str, Any]) -> None:
    # Loaded before the clock runs: the kill is to meet the stage's work, not its imports.
    _ = sentence_transformers.SentenceTransformer
    load_named_files()
    kind = _found(*order["class"])
    setup = CheckSetup(kind, kind.Settings.model_validate(order["settings"]), Path(order["home"]))

    def watch(stage: Stage, done: bool) -> None:
        if order["kill"] and stage.key == order["kill"][0]:
            threading.Timer(0 if done else order["kill"][1], os.kill, (os.getpid(), signal.SIGKILL)).start()
            if done:
                threading.Event().wait()

    planned = setup.planned(TypeAdapter(CheckVariant).validate_python(order["trial"]))
    setup.make(planned.run if order["whole"] else planned.target, setup.home / order["workspace"], watch)


if __name__ == "__main__":
    _obey(json.loads(sys.argv[1]))
