"""Which precision this machine encodes faster in: float32, or bfloat16 by autocast. Measured once, then remembered."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from harness.errors import UserError, did_you_mean
from harness.models import cache_home

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch

Precision = Literal["fp32", "bf16"]
VARIABLE = "HARNESS_PRECISION"

_GAIN = 1.3
"""How much faster bfloat16 must be to be worth its rounding; far from 1, so that noise does not decide."""


@cache
def best_dtype() -> Precision:
    """``HARNESS_PRECISION`` where it is set, else what a trial on this machine found. Raises UserError for an unknown value."""
    if chosen := os.environ.get(VARIABLE):
        for known in get_args(Precision):
            if chosen == known:
                return known  # type: ignore[no-any-return]
        raise UserError(f"{VARIABLE} is '{chosen}'", remedy=did_you_mean(chosen, get_args(Precision)))
    memo = _memo()
    with contextlib.suppress(OSError):
        if (remembered := memo.read_text()) in get_args(Precision):
            return remembered  # type: ignore[return-value]
    found = _measure()
    with contextlib.suppress(OSError):
        memo.parent.mkdir(parents=True, exist_ok=True)
        temporary = memo.with_suffix(f".{os.getpid()}")
        temporary.write_text(found)
        temporary.replace(memo)
    return found


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """The context in which a model runs in `precision`."""
    import torch

    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _memo() -> Path:
    import torch

    place = device()
    unit = torch.cuda.get_device_name() if place.type == "cuda" else _cpu()
    mark = hashlib.sha256(f"{unit} {torch.__version__} {torch.get_num_threads()}".encode()).hexdigest()[:16]
    return cache_home() / "precision" / mark


def _cpu() -> str:
    """The processor's model; Linux tells it in /proc/cpuinfo only."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line
    return platform.processor()


def _measure() -> Precision:
    """The faster of the two in a stack of the matrix products of a small BERT, best of three turns each."""
    seconds: dict[Precision, float] = {"fp32": float("inf"), "bf16": float("inf")}
    for _ in range(3):
        for precision in seconds:
            seconds[precision] = min(seconds[precision], _trial(precision))
    return "bf16" if seconds["bf16"] * _GAIN < seconds["fp32"] else "fp32"


def _trial(precision: Precision, tokens: int = 2048, width: int = 384, layers: int = 6) -> float:
    """Seconds for `layers` encoder layers over `tokens` tokens; the first of two passes warms up."""
    import torch

    place = device()
    layer = torch.nn.TransformerEncoderLayer(width, 12, 4 * width, batch_first=True, activation="gelu").eval().to(place)
    # The layer's fused path ignores autocast.
    torch.backends.mha.set_fastpath_enabled(False)
    batch = torch.zeros(tokens // 128, 128, width, device=place)
    try:
        with torch.inference_mode(), autocast(place, precision):
            layer(batch)
            if place.type == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(layers):
                batch = layer(batch)
            # Reading one number waits for the device.
            float(batch[0, 0, 0])
            return time.perf_counter() - start
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
