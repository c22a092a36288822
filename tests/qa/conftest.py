from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.collections.folder import FolderSettings, FolderSource
from harness.collections.prepared import PreparedCollection, prepare
from harness.ledger.ledger import Ledger
from harness.retrieval.run import Run
from tests.baselines.small import NAMES, write_collection
from tests.llm.openai_server import serving
from tests.qa.server import ReadingServer


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.fixture
def server() -> Iterator[ReadingServer]:
    with serving(ReadingServer()) as running:
        assert isinstance(running, ReadingServer)
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> PreparedCollection:
    """Twelve documents about twelve people, a test question about each; the first question has no answer."""
    home = tmp_path_factory.mktemp("people")
    write_collection(home / "data")
    return prepare(FolderSource(FolderSettings(folder=str(home / "data"), name="people")), home / "prepared")


@pytest.fixture
def shifted() -> Run:
    """For question n the right document comes at rank n + 1, counted round by four; nothing for the last question."""
    scores = {}
    for n in range(len(NAMES) - 1):
        order = [(n + place - n % 4) % len(NAMES) for place in range(4)]
        scores[f"test{n}-0"] = {f"d{document}": float(9 - rank) for rank, document in enumerate(order)}
    return Run("shifted", scores)
