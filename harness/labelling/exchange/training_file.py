"""What a form of training files is: how one label of ours becomes a row that another project trains on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from harness.collections.collection import Document


class TrainingRow(NamedTuple):
    """A query with the documents that its teacher placed, best first, and a score for each; higher is better."""

    query_id: str
    query: str
    documents: tuple[Document, ...]
    scores: tuple[float, ...]


class TrainingFile(ABC):
    """A form of JSON lines. Lists and help are made from these attributes."""

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    """The project that reads it."""

    @abstractmethod
    def row(self, label: TrainingRow, positives: int) -> dict[str, Any]:
        """One line; the first `positives` documents are the positive ones where the form tells them apart."""


def whole_text(document: Document) -> str:
    """Title and text as one."""
    return f"{document.title} {document.text}" if document.title else document.text
