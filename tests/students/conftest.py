"""A small collection in memory, the smallest bundled model, and a context in which stages run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from harness.collections.collection import Document
from harness.losses.spec import LossSpec
from harness.models import ModelFiles, resolve_model
from harness.stage import Context, Stage
from harness.students.static_encoder import StaticStudent
from harness.students.student import Student
from harness.training.train_settings import TrainSettings
from harness.training.trainer import Trainer
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import TrainingList, write_lists
from tests.threads import one_thread  # noqa: F401

TOPICS = [
    "apple pie recipe",
    "solar panel roof",
    "chess opening theory",
    "marathon training plan",
    "jazz piano chords",
    "rust borrow checker",
]
BODIES = [
    "bake the fruit with cinnamon and butter in a crust until golden",
    "photovoltaic cells turn sunlight into electric power on a house",
    "the queen gambit controls the centre of the board with pawns",
    "long runs every week build endurance for a race of 42 kilometres",
    "seventh and ninth voicings for the left hand in swing music",
    "ownership and lifetimes of references are verified by the compiler",
]


@dataclass(frozen=True)
class TinyCorpus:
    """Two documents a topic: one with the topic as its title, one that repeats the words."""

    identity: str = "tiny"

    @property
    def ids(self) -> Sequence[str]:
        return [f"d{number}" for number in range(2 * len(TOPICS))]

    def __len__(self) -> int:
        return 2 * len(TOPICS)

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        return np.array([int(document[1:]) for document in ids])

    def documents(self, rows: np.ndarray | None = None) -> Iterator[Document]:
        for row in range(len(self)) if rows is None else rows:
            topic = row // 2
            yield Document(
                f"d{row}", TOPICS[topic], BODIES[topic] if row % 2 == 0 else f"more on {BODIES[topic]} and so on"
            )

    def texts(self, ids: Sequence[str]) -> list[str]:
        return [f"{document.title} {document.text}" for document in self.documents(self.rows(ids))]

    def slice_texts(self, start: int, stop: int) -> list[str]:
        return self.texts(self.ids[start:stop])


@dataclass
class Bench:
    """Runs stages into folders of their own and remembers them."""

    root: Path
    cache: Path = None  # type: ignore[assignment]  # a folder below `root` unless given
    ledger: Any = None
    made: dict[str, Path] = field(default_factory=dict)
    told: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = self.cache or self.root / "cache"

    def path(self, stage: Stage) -> Path:
        if stage.key not in self.made:
            out = self.root / stage.key
            out.mkdir()
            stage.run(out, self)
            self.made[stage.key] = out
        return self.made[stage.key]

    def progress(self, done: int, total: int, unit: str = "") -> None:
        self.told.append((done, total, unit))


@dataclass(frozen=True, eq=False, kw_only=True)
class Given(Stage):
    """An artefact with files that the test names."""

    kind: ClassVar[str] = "given"
    files: dict[str, str]

    def run(self, out: Path, context: Context) -> None:
        for name, text in self.files.items():
            (out / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True, eq=False, kw_only=True)
class GivenLists(Stage):
    """Training lists that the test names."""

    kind: ClassVar[str] = "given lists"
    lists: tuple[TrainingList, ...]

    def run(self, out: Path, context: Context) -> None:
        write_lists(out, self.lists)


def topic_lists(scores: bool = False) -> tuple[TrainingList, ...]:
    """One list a topic: its own two documents first, then four of others, the last two unordered."""
    lists = []
    for topic, text in enumerate(TOPICS):
        others = [f"d{(2 * topic + step) % 12}" for step in (3, 4, 6, 9)]
        documents = (f"d{2 * topic}", f"d{2 * topic + 1}", *others)
        values = (4.0, 3.0, 1.0, 0.5, 0.0, 0.0) if scores else None
        lists.append(TrainingList(f"q{topic}", text, documents, 4, values, documents[:2]))
    return tuple(lists)


def read_losses(folder: Path) -> list[float]:
    """The loss of each step of the training that an artefact comes from."""
    return list(json.loads((folder / "losses.json").read_text())["loss"])


def topic_trainer(
    student: Student,
    loss: Any = "listmle",
    lists: Sequence[TrainingList] = topic_lists(),
    given: Mapping[str, Any] = {},
    **settings: Any,
) -> Trainer:
    """A trainer of `student` on these lists; `given` is what else it is made with."""
    dataset = ListDataset.of(lists, TinyCorpus())
    return Trainer(student, dataset, LossSpec.of(loss).loss(0.05), TrainSettings(**settings), max_length=32, **given)


@pytest.fixture(scope="session")
def tiny() -> ModelFiles:
    return resolve_model("bundled:bert-tiny")


@pytest.fixture(scope="session")
def static(tiny: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return ModelFiles("static", Bench(tmp_path_factory.mktemp("static")).path(StaticStudent(encoder=tiny)))


@pytest.fixture
def corpus() -> TinyCorpus:
    return TinyCorpus()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def _fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PRECISION", "fp32")
