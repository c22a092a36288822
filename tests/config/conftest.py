"""Sweep files written on the spot."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config.load import load_sweep
from harness.config.sweep_file import SweepFile
from harness.errors import UserError, UserErrors
from tests.config.fakes import REGISTRIES

Load = Callable[..., SweepFile]
Refused = Callable[..., list[UserError]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """``load(text, *overrides, **other_files)``: the sweep in a file called sweep.yaml beside other files of the given
    stems."""

    def _load(text: str, *overrides: str, **others: str) -> SweepFile:
        for stem, content in {"sweep": text, **others}.items():
            (tmp_path / f"{stem}.yaml").write_text(textwrap.dedent(content), encoding="utf-8")
        return load_sweep(tmp_path / "sweep.yaml", overrides, REGISTRIES)

    return _load


@pytest.fixture
def refused(load: Load) -> Refused:
    """Like `load` for files that are wrong: their errors."""

    def _refused(text: str, *overrides: str, **others: str) -> list[UserError]:
        with pytest.raises(UserError) as caught:
            load(text, *overrides, **others)
        return list(caught.value.errors) if isinstance(caught.value, UserErrors) else [caught.value]

    return _refused
