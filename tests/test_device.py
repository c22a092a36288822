"""The choice of precision: told, remembered, or measured without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness import device
from harness.device import VARIABLE, autocast, best_dtype
from harness.errors import UserError


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
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
