"""Fixtures every room may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# No test depends on which precision this machine prefers.
os.environ["HARNESS_PRECISION"] = "fp32"
# The debugger's readline tells children, workers of the suite among them, a width of a terminal that is not there.
os.environ.pop("COLUMNS", None)
# A first example may start a library; how long things take is measured by the benchmarks.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real collections; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("HARNESS_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real collections are absent (set HARNESS_SHARED_DATA to a folder that holds them)")
    return folder
