"""What a collection is to the rest of the harness, and what a source of collections must provide."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

import numpy as np
from pydantic import Field

from harness.plugins import Plugin, Settings

if TYPE_CHECKING:
    from harness.collections.import_report import ImportReport


class Document(NamedTuple):
    """A document as its source has it."""

    id: str
    title: str
    text: str


class Query(NamedTuple):
    """A query as its source has it; `answers` are short answers, where the source has any. `metadata` says where it is
    from (``cluster``, or any other field): it changes no run and no score, and is in no content hash."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    metadata: Mapping[str, str] = MappingProxyType({})


class Judgment(NamedTuple):
    """One line of qrels: `grade` > 0 is relevant."""

    query: str
    document: str
    grade: int


class SourceSettings(Settings):
    """What every source takes. The first two matter only to a source that has training queries but no dev split of its
    own."""

    dev_share: float = Field(0.1, ge=0, le=0.5, description="share of the training queries that becomes the dev split")
    dev_cap: int = Field(500, ge=0, description="most queries such a dev split holds")
    drop_identical: bool | None = Field(
        None,
        description="whether the document that has the id of a query is left out for it, in search, training and "
        "evaluation, where queries are documents; by default where BEIR does, in its own collections",
        json_schema_extra={"transport": True},
    )


class CollectionSource(Plugin):
    """Where collections come from. One file a source; `prepare` (prepared.py) turns what it yields into a `Collection`.

    A setting that has the name of the source itself is its main one: ``beir/scifact``, ``irds:ID`` and ``{folder:
    PATH}`` fill it.
    """

    entry_point_group: ClassVar[str] = "harness.collections"
    version: ClassVar[int] = 1
    """Rises whenever the same data yields other documents, queries or judgments."""
    licence: ClassVar[str]
    citation: ClassVar[str] = ""
    bundled: ClassVar[bool] = False
    """True where its data comes with an installed package: preparing it needs no network and no settings."""
    anchors: ClassVar[Mapping[tuple[str, str], str]] = {}
    """What others published, by split and metric: boards show it beside one's own numbers."""
    former_hash: ClassVar[str] = ""
    """What earlier versions wrote as its content hash, where they published results of it."""
    split_hashes: ClassVar[Mapping[str, str]] = {}
    """The content hashes of its splits today, where there are such results."""
    keeps_order: ClassVar[bool] = True
    """Whether its order of documents and queries is one; where not, a workspace has them in the order in which it read
    the same ones first."""
    Settings: ClassVar[type[SourceSettings]] = SourceSettings

    def __init__(self, settings: SourceSettings, base: Path = Path()) -> None:
        self.settings = settings
        self.base = base
        """What relative paths in the settings are relative to."""

    @property
    def title(self) -> str:
        """The collection's name for people."""
        return self.name

    @property
    def drops_identical(self) -> bool:
        """Whether the document that has the id of a query is left out for it, unless settings say otherwise."""
        return False

    @abstractmethod
    def fingerprint(self) -> str:
        """A cheap mark that changes whenever the data may have changed (sizes and modification times, a version); no
        content hash."""

    @abstractmethod
    def documents(self) -> Iterator[Document]:
        """All documents, streamed."""

    @abstractmethod
    def queries(self) -> Iterator[Query]:
        """All queries of all splits, streamed."""

    @abstractmethod
    def judgments(self) -> dict[str, Iterator[Judgment]]:
        """Qrels by split (train, dev, test, or the source's own names)."""

    def judgment_files(self) -> Mapping[str, Path]:
        """Files of this disk that hold the judgments of one split each: stages of plug-ins cannot open those that they
        are rated by."""
        return {}


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


class Corpus(Texts, Protocol):
    """The texts of a collection's documents, which also knows where a title ends and the text begins."""

    def find(self, ids: Sequence[str]) -> np.ndarray:
        """int64 positions of `ids`, -1 for an unknown one."""
        ...

    def documents(self, rows: np.ndarray | None = None) -> Iterator[Document]:
        """All documents in order, or those at positions `rows` (int64), streamed from disk."""
        ...


Qrels = dict[str, dict[str, int]]
"""query id -> document id -> grade"""


@dataclass(frozen=True)
class Judgments:
    """The qrels of one split, with a content hash."""

    split: str
    identity: str
    qrels: Qrels = field(compare=False, repr=False)
    drop_identical: bool = False
    """Whether what is found for a query counts without the document that has its id."""


class Collection(Protocol):
    """A prepared collection, on disk, memory-mapped."""

    name: str
    """As written in the sweep file; for people only."""
    content_hash: str
    """Of everything in its order, all splits together: what labels and cards of earlier versions name."""
    corpus: Corpus
    """Document text is title and text joined by one space."""
    splits: tuple[str, ...]
    report: ImportReport
    """What was found wrong or changed while preparing it."""
    drop_identical: bool
    """Whether in any split documents are left out that have the id of a query."""

    def __hash__(self) -> int: ...
    def split_hash(self, split: str) -> str:
        """What a number on that split rests on: documents, queries, answers and judgments, each in any order."""
        ...

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

    def metadata(self, split: str) -> dict[str, dict[str, str]]:
        """What its source says of queries, by query id and field; queries without any are left out."""
        ...
