"""What a collection is to the rest of the harness, and what a source of collections must provide."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from harness.plugins import Plugin


class Document(NamedTuple):
    """A document as its source has it."""

    id: str
    title: str
    text: str


class Query(NamedTuple):
    """A query as its source has it; `answers` are short answers, where the source has any."""

    id: str
    text: str
    answers: tuple[str, ...] = ()


class Judgment(NamedTuple):
    """One line of qrels: `grade` > 0 is relevant."""

    query: str
    document: str
    grade: int


class CollectionSource(Plugin):
    """Where collections come from. One file a source; `prepare` (prepared.py) turns what it yields into a `Collection`."""

    group: ClassVar[str] = "harness.collections"

    @abstractmethod
    def fingerprint(self) -> str:
        """A cheap mark that changes whenever the data may have changed (sizes and modification times, a version); no content hash."""

    @abstractmethod
    def documents(self) -> Iterator[Document]:
        """All documents, streamed."""

    @abstractmethod
    def queries(self) -> Iterator[Query]:
        """All queries of all splits, streamed."""

    @abstractmethod
    def judgments(self) -> dict[str, Iterator[Judgment]]:
        """Qrels by split (train, dev, test, or the source's own names)."""


class Texts(Protocol):
    """Ids with texts in a fixed order: a corpus or the queries of a split. `identity` is a content hash."""

    @property
    def identity(self) -> str: ...
    @property
    def ids(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def texts(self, ids: Sequence[str]) -> list[str]:
        """Texts of `ids`, in that order. Raises KeyError on an unknown id."""
        ...

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """int64 positions of `ids` in this order. Raises KeyError on an unknown id."""
        ...

    def slice_texts(self, start: int, stop: int) -> list[str]:
        """Texts of the positions start to stop, read from disk when asked for."""
        ...


Qrels = dict[str, dict[str, int]]
"""query id -> document id -> grade"""


@dataclass(frozen=True)
class Judgments:
    """The qrels of one split, with a content hash."""

    split: str
    identity: str
    qrels: Qrels = field(compare=False, repr=False)


class Collection(Protocol):
    """A prepared collection, on disk, memory-mapped."""

    name: str
    """As written in the sweep file; for people only."""
    content_hash: str
    corpus: Texts
    """Document text is title and text joined by one space."""
    splits: tuple[str, ...]

    def queries(self, split: str) -> Texts:
        """The judged queries of a split."""
        ...

    def judgments(self, split: str) -> Judgments: ...
    def titles(self) -> Iterator[tuple[str, str]]:
        """(document id, title) of every document that has a title."""
        ...

    def answers(self, split: str) -> dict[str, tuple[str, ...]]:
        """Short answers by query id; empty where the source has none."""
        ...
