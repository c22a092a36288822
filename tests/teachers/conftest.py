from __future__ import annotations

from pathlib import Path

import pytest

from harness.ledger.ledger import Ledger
from tests.teachers.tiny import make_model
from tests.threads import one_thread  # noqa: F401


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")
