"""The choice of precision: told, remembered, or measured without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from harness import device
from harness.device import VARIABLE, autocast, best_dtype, check_numerics, resolve_numerics
from harness.errors import UserError
from harness.numerics.active_numerics import using_numerics
from harness.numerics.numerics_class import Numerics


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    best_dtype.cache_clear()


@pytest.mark.parametrize("chosen", ["fp32", "bf16"])
def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    monkeypatch.setenv(VARIABLE, chosen)
    monkeypatch.setattr(device, "_measure", lambda: pytest.fail("measured"))
    assert best_dtype() == chosen


def test_an_unknown_precision_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "fp23")
    with pytest.raises(UserError, match="did you mean 'fp32'"):
        best_dtype()


def test_a_trial_is_made_once_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_measure", lambda: "bf16")
    assert best_dtype() == "bf16"
    best_dtype.cache_clear()
    monkeypatch.setattr(device, "_measure", lambda: pytest.fail("measured again"))
    assert best_dtype() == "bf16"


def test_a_torn_memo_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_measure", lambda: "bf16")
    best_dtype()
    (memo,) = (tmp_path / "precision").iterdir()
    memo.write_text("b")
    best_dtype.cache_clear()
    monkeypatch.setattr(device, "_measure", lambda: "fp32")
    assert best_dtype() == "fp32"


@pytest.mark.parametrize(("generation", "expected"), [(7, "cuda-fp32"), (8, "cuda-bf16"), (9, "cuda-bf16")])
def test_a_gpu_is_judged_by_its_generation(monkeypatch: pytest.MonkeyPatch, generation: int, expected: str) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (generation, 5))
    monkeypatch.setattr(device, "_measure", lambda: pytest.fail("measured"))
    assert str(resolve_numerics()) == expected
    monkeypatch.setenv(VARIABLE, "fp32")
    assert str(resolve_numerics()) == "cuda-fp32"


def test_a_sweep_file_says_what_is_computed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "fp32")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(device, "_measure", lambda: pytest.fail("measured"))
    assert resolve_numerics("cuda-bf16") == Numerics("cuda", "bf16", 1)
    assert resolve_numerics("cpu-bf16") == Numerics("cpu", "bf16", 2)
    assert str(resolve_numerics()) == "cpu-fp32, 2 threads"


def test_what_this_machine_cannot_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    check_numerics(Numerics.of("cpu-bf16"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="cuda-fp32, and there is no GPU here"):
        check_numerics(Numerics.of("cuda-fp32"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (7, 0))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "Tesla V100")
    check_numerics(Numerics.of("cuda-fp32"))
    with pytest.raises(UserError, match="cuda-bf16, which the Tesla V100 here only imitates"):
        check_numerics(Numerics.of("cuda-bf16"))


def test_a_gpu_sums_alike_each_time_and_does_not_round_to_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "NVIDIA H200")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    device._prepare_cuda.cache_clear()
    torch.set_float32_matmul_precision("high")
    try:
        assert device.device_facts("cuda") == {"device": "NVIDIA H200", "tf32": True}
        with using_numerics(Numerics.of("cuda-fp32")):
            assert device.device().type == "cuda"
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert device.device_facts("cuda") == {"device": "NVIDIA H200", "tf32": False}
        assert not torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
        device._prepare_cuda.cache_clear()
        os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


def test_what_was_measured_once_is_known_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_measure", lambda: "bf16")
    best_dtype()
    code = (
        "import sys; from harness.device import resolve_numerics; "
        "print(resolve_numerics().precision, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["bf16", str(device.has_driver())]


@pytest.mark.slow
@pytest.mark.parametrize(("gain", "expected"), [(0.0, "bf16"), (float("inf"), "fp32")])
def test_the_trial_leaves_random_numbers_and_threads_alone(
    monkeypatch: pytest.MonkeyPatch, gain: float, expected: str
) -> None:
    monkeypatch.setattr(device, "_GAIN", gain)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    assert best_dtype() == expected
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_autocast_is_what_it_says() -> None:
    layer, batch = torch.nn.Linear(8, 8), torch.ones(2, 8)
    with autocast(torch.device("cpu"), "bf16"):
        assert layer(batch).dtype == torch.bfloat16
    with autocast(torch.device("cpu"), "fp32"):
        assert layer(batch).dtype == torch.float32
