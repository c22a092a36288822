"""What a lexical engine is: it indexes a corpus into a folder and searches it."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.plugins import Plugin, Settings
from harness.stage import canonical

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.progress import Progress
    from harness.retrieval.trec_order import Hits


class LexicalEngine(Plugin):
    """Search by words. Instances are made from settings; equal settings give equal results on every machine."""

    entry_point_group: ClassVar[str] = "harness.engines"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def identity(self) -> str:
        """The engine's name and all its settings."""
        return f"{self.name} {json.dumps(canonical(self.settings), sort_keys=True)}"

    @abstractmethod
    def index(self, corpus: Texts, folder: Path, progress: Progress) -> None:
        """Write the index of `corpus` into the empty `folder`; documents are read in blocks."""

    @abstractmethod
    def search(self, folder: Path, texts: Sequence[str], depth: int, progress: Progress) -> Iterator[Hits]:
        """For each of `texts`, in their order, the first `depth` documents that share a word with it (fewer where fewer
        do).

        Rows are positions in the indexed corpus; ties go to the greater document id, also at the last place.
        """
