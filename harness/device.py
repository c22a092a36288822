"""Devices and precision: what the work at hand is to use, what this machine can do, and reproducible torch."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from harness._lazy import lazy
from harness.errors import UserError, did_you_mean
from harness.files import atomic_file, cache_home
from harness.numerics.active_numerics import active_numerics
from harness.numerics.numerics_class import Device, Numerics, NumericsChoice, Precision

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch
else:
    torch = lazy("torch")


transformers = lazy("transformers")

VARIABLE = "HARNESS_PRECISION"
DEVICES = "HARNESS_DEVICES"
THREADS = "OMP_NUM_THREADS"
HELD_THREADS = "HARNESS_HELD_THREADS"
"""Set while a stage is held to a number of threads that nobody asked for."""
_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "/dev/nvmap")

_GAIN = 1.3
"""How much faster bfloat16 must be to be worth its rounding; far from 1, so that noise does not decide."""


def resolve_numerics(choice: NumericsChoice = "auto") -> Numerics:
    """What a sweep file says. auto: the accelerator where there is one, in what ``HARNESS_PRECISION`` says, else in
    bfloat16 where a GPU is made for it, or a CPU is faster with it. Beside a GPU a stage has one thread. Raises
    UserError for unknown values of variables.
    """
    if choice == "auto":
        found = _accelerator()
        chosen = Numerics(found, _environment_precision() or _machine_precision(found))
    else:
        chosen = Numerics.of(choice)
    return chosen if chosen.device == "cuda" else chosen._replace(threads=threads())


def current_numerics() -> Numerics:
    """Those of the work at hand; outside of any, auto."""
    return active_numerics() or resolve_numerics()


def threads() -> int:
    """What ``OMP_NUM_THREADS`` says, 1 where it is not set. Raises UserError where that is no number from 1."""
    told = os.environ.get(THREADS) or "1"
    if not told.isdecimal() or int(told) < 1:
        raise UserError(f"{THREADS} is '{told}'", remedy="give the number of threads that a stage has, from 1")
    return int(told)


def best_dtype() -> Precision:
    """The precision of the work at hand. Raises UserError for an unknown one."""
    return current_numerics().precision


def _environment_precision() -> Precision | None:
    if not (chosen := os.environ.get(VARIABLE)):
        return None
    for known in get_args(Precision):
        if chosen == known:
            return known  # type: ignore[no-any-return]
    raise UserError(f"{VARIABLE} is '{chosen}'", remedy=did_you_mean(chosen, get_args(Precision)))


@cache
def _machine_precision(place: Device) -> Precision:
    """Of a GPU by what it is made for; of a CPU by a trial, once a machine."""
    if place == "cuda":
        return "bf16" if _computes_bf16() else "fp32"
    memo = _memo()
    with contextlib.suppress(OSError):
        if (known := memo.read_text()) in get_args(Precision):
            return known  # type: ignore[return-value]
    found = _measure()
    with contextlib.suppress(OSError), atomic_file(memo) as temporary:
        temporary.write_text(found)
    return found


best_dtype.cache_clear = _machine_precision.cache_clear  # type: ignore[attr-defined]  # as cached functions have it


def has_driver() -> bool:
    """Whether there may be an accelerator; without a driver torch need not be loaded to know."""
    return any(Path(file).exists() for file in _DRIVERS)


def _accelerator() -> Device:
    return "cuda" if (has_driver() or "torch" in sys.modules) and torch.cuda.is_available() else "cpu"


def _computes_bf16() -> bool:
    # Older GPUs only imitate it.
    return bool(torch.cuda.get_device_capability()[0] >= 8 or torch.version.hip)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """The context in which a model runs in `precision`."""

    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def check_numerics(numerics: Numerics) -> None:
    """Raises UserError where this machine cannot compute in them."""
    remedy = "run on a machine that can, or set numerics: auto"
    if numerics.device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"models are to compute in {numerics.name}, and there is no GPU here", remedy=remedy)
    if numerics.name == "cuda-bf16" and not _computes_bf16():
        message = f"models are to compute in cuda-bf16, which the {torch.cuda.get_device_name()} here only imitates"
        raise UserError(message, remedy=remedy)


def device_facts(kind: Device) -> dict[str, Any]:
    """The model of the GPU or of the processor; of a GPU also whether it rounds to TF32."""
    if kind == "cpu":
        return {"device": cpu_model()}
    return {"device": str(torch.cuda.get_device_name()), "tf32": bool(torch.backends.cuda.matmul.allow_tf32)}


def cpu_model() -> str:
    """The processor's model."""
    return _cpu().partition(":")[2].strip() or platform.processor()


def device() -> torch.device:
    """Where the work at hand computes: the accelerator where there is one, unless its numerics are a CPU's."""

    place = current_numerics().device
    if place == "cuda":
        _prepare_cuda()
    return torch.device(place)


@cache
def _prepare_cuda() -> None:
    """Same sums each time, and whole float32 products: no TF32, which keeps 10 bits of the mantissa."""
    # CUDA reads it when it is first used.
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def devices() -> list[torch.device]:
    """Those that encode and train together: as many as ``HARNESS_DEVICES`` says, one where it is not set.

    Raises UserError when there are not so many GPUs; without any the CPU stands for each.
    """

    told = os.environ.get(DEVICES) or "1"
    if not told.isdecimal() or int(told) < 1:
        raise UserError(f"{DEVICES} is '{told}'", remedy="give the number of GPUs that work together, from 1")
    there = torch.cuda.device_count() if device().type == "cuda" else 0
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
    return cache_home() / "precision" / hashlib.sha256(f"{_cpu()} {_torch_version()}".encode()).hexdigest()[:16]


def _torch_version() -> str:
    """``torch.__version__``, for which torch need not be loaded."""
    spec = find_spec("torch")
    for folder in (spec and spec.submodule_search_locations) or ():
        with contextlib.suppress(OSError):
            if found := re.search(r"^__version__ = '(.+)'$", (Path(folder) / "version.py").read_text(), re.MULTILINE):
                return found[1]
    return str(torch.__version__)


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
        model = transformers.BertModel(config, add_pooling_layer=False).eval()
    before = torch.get_num_threads()
    seconds: dict[Precision, float] = {"fp32": float("inf"), "bf16": float("inf")}
    # One thread, and its own time: other work on the machine then does not decide.
    torch.set_num_threads(1)
    try:
        for _ in range(3):
            for precision in seconds:
                seconds[precision] = min(seconds[precision], _trial(model, precision))
    finally:
        torch.set_num_threads(before)
    return "bf16" if seconds["bf16"] * _GAIN < seconds["fp32"] else "fp32"


def _trial(model: torch.nn.Module, precision: Precision) -> float:
    """Seconds for 8 texts of 128 tokens, after a turn to warm up."""

    tokens = torch.zeros(8, 128, dtype=torch.int64)
    with torch.inference_mode(), autocast(tokens.device, precision):
        model(tokens)
        start = time.thread_time()
        model(tokens)
        return time.thread_time() - start


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


class Resources(NamedTuple):
    """What a stage takes of its machine while it runs; no part of any key."""

    cpu: float = 1.0
    """Cores. 0: it waits for answers of others and runs beside stages that compute."""
    memory: float = 1.0
    """GiB."""
    gpu: float = 0.0
    """Share of an accelerator, where the machine has one."""
    slots: tuple[str, ...] = ()
    """Services that it asks; each serves as many stages at once as there are jobs."""
    server: str = ""
    """Which server of our own it asks, if any: what that takes counts once for all stages that ask it."""
