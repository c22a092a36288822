"""Devices, the precision that this machine encodes faster in (measured once, then cached), and reproducible torch."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from harness._lazy import lazy
from harness.errors import UserError, did_you_mean
from harness.files import atomic_file, cache_home

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch
else:
    torch = lazy("torch")


transformers = lazy("transformers")

Precision = Literal["fp32", "bf16"]
VARIABLE = "HARNESS_PRECISION"
DEVICES = "HARNESS_DEVICES"
THREADS = "OMP_NUM_THREADS"
HELD_THREADS = "HARNESS_HELD_THREADS"
"""Set while a stage is held to a number of threads that nobody asked for."""

_GAIN = 1.3
"""How much faster bfloat16 must be to be worth its rounding; far from 1, so that noise does not decide."""


@cache
def best_dtype() -> Precision:
    """``HARNESS_PRECISION`` where it is set, else what a trial on this machine found. Raises UserError for an unknown
    value."""
    if chosen := os.environ.get(VARIABLE):
        for known in get_args(Precision):
            if chosen == known:
                return known  # type: ignore[no-any-return]
        raise UserError(f"{VARIABLE} is '{chosen}'", remedy=did_you_mean(chosen, get_args(Precision)))
    memo = _memo()
    with contextlib.suppress(OSError):
        if (known := memo.read_text()) in get_args(Precision):
            return known  # type: ignore[return-value]
    found = _measure()
    with contextlib.suppress(OSError), atomic_file(memo) as temporary:
        temporary.write_text(found)
    return found


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """The context in which a model runs in `precision`."""

    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def device() -> torch.device:
    """The accelerator where there is one, else the CPU."""

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def devices() -> list[torch.device]:
    """Those that encode and train together: as many as ``HARNESS_DEVICES`` says, one where it is not set.

    Raises UserError when there are not so many GPUs; without any the CPU stands for each.
    """

    told = os.environ.get(DEVICES) or "1"
    if not told.isdecimal() or int(told) < 1:
        raise UserError(f"{DEVICES} is '{told}'", remedy="give the number of GPUs that work together, from 1")
    there = torch.cuda.device_count()
    if there and int(told) > there:
        raise UserError(f"{DEVICES} is {told}, and there are {there} GPUs", remedy=f"give {there} or fewer")
    return [torch.device("cuda", number) if there else torch.device("cpu") for number in range(int(told))]


def outer_environment() -> dict[str, str]:
    """The environment as people gave it, for servers that a stage starts: without the threads that it is held to."""
    found = dict(os.environ)
    if found.pop(HELD_THREADS, None) is not None:
        found.pop(THREADS, None)
    return found


def _memo() -> Path:
    """The measured precision stands in keys, so this file is one word in a form that never changes: what was measured
    once stays."""
    unit = torch.cuda.get_device_name() if device().type == "cuda" else _cpu()
    return cache_home() / "precision" / hashlib.sha256(f"{unit} {torch.__version__}".encode()).hexdigest()[:16]


def _cpu() -> str:
    """The processor's model; Linux tells it in /proc/cpuinfo only."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line
    return platform.processor()


def _measure() -> Precision:
    """The faster of the two in a small BERT, best of three turns each."""

    config = transformers.BertConfig(
        vocab_size=8, hidden_size=384, num_hidden_layers=2, num_attention_heads=12, intermediate_size=1536
    )
    # A trial must not move the random numbers of what runs after it.
    with torch.random.fork_rng(devices=[]):
        model = transformers.BertModel(config, add_pooling_layer=False).eval().to(device())
    threads = torch.get_num_threads()
    seconds: dict[Precision, float] = {"fp32": float("inf"), "bf16": float("inf")}
    # One thread, and its own time: other work on the machine then does not decide.
    torch.set_num_threads(1)
    try:
        for _ in range(3):
            for precision in seconds:
                seconds[precision] = min(seconds[precision], _trial(model, precision))
    finally:
        torch.set_num_threads(threads)
    return "bf16" if seconds["bf16"] * _GAIN < seconds["fp32"] else "fp32"


def _trial(model: torch.nn.Module, precision: Precision) -> float:
    """Seconds for 8 texts of 128 tokens, after a turn to warm up."""

    place = device()
    clock = time.thread_time if place.type == "cpu" else time.perf_counter
    tokens = torch.zeros(8, 128, dtype=torch.int64, device=place)
    with torch.inference_mode(), autocast(place, precision):
        # Reading a number waits for the device.
        float(model(tokens).last_hidden_state[0, 0, 0])
        start = clock()
        float(model(tokens).last_hidden_state[0, 0, 0])
        return clock() - start


_TORCH = threading.Lock()
"""Torch has one random generator and one switch for deterministic kernels: one training a process at a time."""


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Torch's random numbers from `seed`, deterministic kernels where there are any; all as before afterwards."""

    switches: Any = torch.utils.deterministic
    with _TORCH, torch.random.fork_rng():
        before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        filling = switches.fill_uninitialized_memory
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Filling fresh memory is for finding bugs; it costs a sixth of a step here.
        switches.fill_uninitialized_memory = False
        try:
            yield
        finally:
            switches.fill_uninitialized_memory = filling
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
