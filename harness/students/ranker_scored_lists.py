"""Training lists that a ranker scores without changing their order, so that gold documents stay first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.models import ModelFiles, model_path
from harness.stage import Context, Stage
from harness.students.architecture import Architecture
from harness.training_lists.training_list import Built, read_lists


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoredLists(Stage):
    """The lists as they are, with the ranker's score for every document."""

    kind: ClassVar[str] = "scored-lists"

    lists: Stage
    ranker: ModelFiles | Stage
    architecture: Architecture
    corpus: Texts
    max_length: int

    @property
    def label(self) -> str:
        return self.lists.label

    def run(self, out: Path, context: Context) -> None:
        from harness.students.ranker import load_ranker
        from harness.training.training_loop import deterministic
        from harness.training_lists.list_dataset import ListTable

        lists = read_lists(context.path(self.lists))
        # A cross-encoder that was never trained draws its head here.
        with deterministic(0):
            ranker = load_ranker(model_path(self.ranker, context), self.architecture)
            scores = ranker.over(ListTable.of(lists, self.corpus), self.max_length).score_all(context.progress)
        Built(tuple(replace(one, scores=tuple(row.tolist())) for one, row in zip(lists, scores, strict=True)), {}).write(out)
