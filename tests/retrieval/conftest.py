"""A corpus in memory and a way to run stages, for all tests of the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from harness.models import ModelFiles, resolve_model
from harness.stage import Stage

# The first example pays for imports, and machines are busy: times say nothing.
settings.register_profile("retrieval", deadline=None, max_examples=50)
settings.load_profile("retrieval")


class Listed:
    """Texts in memory."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.ids = list(texts)
        self._texts = list(texts.values())

    @property
    def identity(self) -> str:
        return repr((self.ids, self._texts))

    def __len__(self) -> int:
        return len(self.ids)

    def texts(self, ids: Sequence[str]) -> list[str]:
        return [self._texts[row] for row in self.rows(ids)]

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        places = {name: row for row, name in enumerate(self.ids)}
        return np.array([places[name] for name in ids], dtype=np.int64)

    def slice_texts(self, start: int, stop: int) -> list[str]:
        return self._texts[start:stop]


def ignore(done: int, total: int, unit: str = "") -> None:
    """A progress nobody looks at."""


@dataclass
class Runner:
    """Runs a stage and the stages it reads, each once."""

    folder: Path
    progress: Any = ignore
    ledger: Any = None
    paths: dict[str, Path] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        return self.folder

    def path(self, stage: Stage) -> Path:
        if stage.key not in self.paths:
            for other in stage.inputs():
                self.path(other)
            out = self.folder / f"{stage.kind}-{stage.key[:8]}"
            out.mkdir()
            stage.run(out, self)
            self.paths[stage.key] = out
        return self.paths[stage.key]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture(scope="session")
def tiny() -> ModelFiles:
    """A BERT of two layers that loads in milliseconds."""
    return resolve_model("bundled:bert-tiny")


@pytest.fixture(scope="session")
def corpus() -> Listed:
    return Listed(
        {
            "d1": "Cats are small animals that purr and hunt mice in the dark.",
            "d2": "The dog barks at the cat and the mailman.",
            "d3": "Neural networks learn representations of text.",
            "d10": "Dense retrieval embeds queries and documents into one space.",
            "d20": "",
            "é5": "Naïve cafés serve coffee; the cat sleeps.",
        }
    )


@pytest.fixture(autouse=True)
def _precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts with what `tests/conftest.py` chose, whatever the one before it tried."""
    from harness import device

    monkeypatch.setenv(device.VARIABLE, "fp32")
    device.best_dtype.cache_clear()
