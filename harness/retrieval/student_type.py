"""What a type of student is: which model it starts from, and how that is loaded, indexed and searched."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from harness.plugins import Plugin, Settings
from harness.stage import canonical

if TYPE_CHECKING:
    import numpy as np

    from harness.collections.collection import Texts
    from harness.models import ModelFiles
    from harness.progress import Progress
    from harness.retrieval.trec_order import Hits
    from harness.stage import Stage


class TrainableModel(Protocol):
    """What training takes: a `Student` (harness/students/student.py), of which this floor knows one thing."""

    def save(self, folder: Path) -> None:
        """Writes what the `load` of its type reads."""
        ...


class StudentType(Plugin):
    """A type of student by name: what a retriever is, as sweep files say it with ``{type: NAME, model: MODEL}``.

    Instances are made from settings; equal settings give equal results. `needs` says in words what the model must be.

    >>> import harness
    >>> from harness.plugins import plugins
    >>> sorted(plugins(harness.StudentType))[:2]
    ['bi-encoder', 'late-interaction']
    """

    entry_point_group: ClassVar[str] = "harness.students"
    version: ClassVar[int] = 1
    """Rises when its code changes what comes out; plug-ins need none, every edit of their package counts."""
    example: ClassVar[str] = "bundled:bert-tiny"
    """A small model that `harness check student` makes one of: a name, or a folder."""
    dense: ClassVar[bool] = False
    """Whether it is a bi-encoder of sentence-transformers in all but its start: every method can have it then."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def identity(self) -> str:
        """Its name, its version and all its settings."""
        return json.dumps([self.name, self.version, canonical(self.settings)], sort_keys=True)

    def start(self, model: ModelFiles) -> ModelFiles | Stage | None:
        """What a training of `model` starts from and `zero-shot` searches with; None: the folder that `load` and `save`
        make of it."""
        return None

    @abstractmethod
    def load(self, folder: Path) -> TrainableModel:
        """The student in `folder`, which is the sweep's model or what its `save` wrote. What it draws is drawn from
        torch's generator. Raises UserError for a model of another kind."""

    @abstractmethod
    def index(self, folder: Path, corpus: Texts, max_length: int, out: Path, progress: Progress) -> None:
        """Writes into the empty folder `out` what `search` needs of `corpus`, as the student in `folder` encodes it;
        `max_length` tokens of a document are read at most."""

    @abstractmethod
    def search(
        self,
        folder: Path,
        index: Path,
        queries: Sequence[str],
        ranks: np.ndarray,
        max_length: int,
        depth: int,
        progress: Progress,
    ) -> Iterator[Hits]:
        """For each of `queries`, in their order, the first `depth` documents of `index`, exactly.

        Rows are positions in the corpus; `ranks` (N,) of its ids (`id_ranks`) break ties, also at the last place, for
        which `best` of harness/retrieval/trec_order.py stands ready.
        """


def student_type_of(model: Any) -> StudentType | None:
    """The type that a model, or a stage that makes one, says it has; None for a bi-encoder of
    sentence-transformers."""
    found: StudentType | None = getattr(model, "student_type", None)
    return found
