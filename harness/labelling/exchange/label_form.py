"""What a form of published labels is: a reader of one file, which knows nothing of the collection that the labels are
for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from harness.labelling.labels.parser import Parsed
from harness.labelling.labels.ranking import Verdict


class Reference(NamedTuple):
    """A query or a document as a file names it: by id, by the key of its text (text_key.py), or by both."""

    id: str = ""
    key: str = ""


@dataclass(frozen=True)
class ForeignLabel:
    """One label as a file has it. `order` and `scores` count places in `documents` from 0, best first; what has no
    place is an unordered tail."""

    query: Reference
    documents: tuple[Reference, ...]
    order: tuple[int, ...]
    verdict: Verdict = "ok"
    reason: str = ""
    raw: str = ""
    scores: tuple[float, ...] | None = None
    """The teacher's own numbers, one a document; of equal ones the greater id comes first."""
    presented: bool = False
    """Whether `documents` stand in the order in which they were presented to the teacher."""

    @classmethod
    def of_answer(cls, query: Reference, documents: Sequence[Reference], parsed: Parsed, raw: str) -> ForeignLabel:
        """The label of one answer about `documents` as they were presented."""
        order = tuple(number - 1 for number in parsed.order)
        return cls(query, tuple(documents), order, parsed.verdict, ", ".join(parsed.reasons), raw, presented=True)


class LabelForm(ABC):
    """A form of files with labels. Lists and help are made from these attributes."""

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    """The paper or project whose form it is."""
    takes_hits: ClassVar[bool] = False
    """Whether it has a second file, with what was presented to the teacher."""

    @abstractmethod
    def labels(self, file: Path, hits: Path | None) -> Iterator[ForeignLabel]:
        """All labels of `file`; `hits` is a second file where the form has two. Raises UserError with file and
        line."""
