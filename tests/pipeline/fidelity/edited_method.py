"""A plug-in's method: it edits the teacher's orders, and changes a ranker's lists by a stage of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.labelling.labels.ranking import Ranking
from harness.method import MethodInputs, RetrieverMethod
from harness.stage import Context, Stage
from harness.training_lists.training_list import ListsBuilt, read_lists


@dataclass(frozen=True)
class KeepFirst:
    """Cuts a ranking."""

    first: int

    def __call__(self, ranking: Ranking) -> Ranking:
        return ranking.cut(self.first)


@dataclass(frozen=True, eq=False)
class FirstLists(Stage):
    """The first lists of others."""

    kind: ClassVar[str] = "first-lists"
    lists: Stage

    def run(self, out: Path, context: Context) -> None:
        ListsBuilt(tuple(read_lists(context.path(self.lists))[:5]), {}).write(out)


class Top(RetrieverMethod):
    """The first documents of the teacher's order count."""

    name = "top"
    summary = "only the first documents of the teacher's order count"
    category = "baseline"
    needs = ("order",)

    def retriever(self, inputs: MethodInputs) -> Stage:
        ranker = inputs.train_ranker(inputs.teacher_lists(KeepFirst(2)), "listmle")
        return inputs.train_retriever(FirstLists(inputs.score_with(ranker)), "kl")
