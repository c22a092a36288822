"""What every stage that trains on lists shares: what its lists are without, and that its key says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Texts
from harness.collections.own_documents import drops_identical
from harness.stage import Context, Stage
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import read_lists

NO_COPIES = {"copies": "no negatives"}
"""Stands in the keys of trainings on collections that hold copies: until 0.2 these were negatives of each other."""


class ListLearning(Stage):
    """A stage that trains on `lists`; its fields are declared by each subclass."""

    computes: ClassVar[bool | None] = True

    lists: Stage
    corpus: Texts

    def fields(self) -> dict[str, Any]:
        return super().fields() | (NO_COPIES if getattr(self.corpus, "copies", 0) else {})

    def dataset(self, out: Path, context: Context) -> ListDataset:
        """The lists as they are learnt; writes into `out` how many copies they lost."""
        lists = read_lists(context.path(self.lists))
        found = ListDataset.for_training(lists, self.corpus, drops_identical(self.lists))
        found.copies.write(out)
        return found
