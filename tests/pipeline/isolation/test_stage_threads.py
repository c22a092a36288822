"""A stage computes with one thread unless people say otherwise; servers that it starts are not held to that."""

from __future__ import annotations

import os

import pytest
import torch

from harness.device import outer_environment
from harness.pipeline.isolation.stage_threads import stage_threads


def test_one_thread_inside_and_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with stage_threads():
            assert (torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]) == (1, "1")
            assert "OMP_NUM_THREADS" not in outer_environment()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert "OMP_NUM_THREADS" not in os.environ


def test_what_people_set_holds_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with stage_threads():
        assert (torch.get_num_threads(), outer_environment()["OMP_NUM_THREADS"]) == (2, "2")
    assert os.environ["OMP_NUM_THREADS"] == "2"
