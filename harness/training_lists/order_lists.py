"""Training lists made of a teacher's order alone: graded by rank, or cut into preferences; and lists in no order at
all."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from harness.collections.collection import Texts
from harness.collections.own_documents import drops_identical
from harness.collections.sample import QuerySubset
from harness.stage import Context, Stage, keyed
from harness.training_lists.list_stages import candidate_lists, subset_queries
from harness.training_lists.training_list import ListsBuilt, TrainingList, read_lists

Grade = Literal["reciprocal", "discounted", "linear"]

_GRADES: Mapping[Grade, Callable[[int, int], float]] = {
    "reciprocal": lambda rank, size: 1 / rank,
    "discounted": lambda rank, size: 1 / math.log2(1 + rank),
    "linear": lambda rank, size: (size - rank + 1) / size,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class GradedLists(Stage):
    """The same lists with grades of the rank for scores, whatever scores the teacher gave; 0 in the unordered tail.

    The grade of rank r among n documents is 1/r, 1/log2(1 + r), or (n - r + 1)/n.
    """

    kind: ClassVar[str] = "graded-lists"

    lists: Stage
    grade: Grade

    @property
    def label(self) -> str:
        return f"{self.grade}, {self.lists.label}"

    def run(self, out: Path, context: Context) -> None:
        ListsBuilt(tuple(grade_list(one, self.grade) for one in read_lists(context.path(self.lists))), {}).write(out)


def grade_list(one: TrainingList, grade: Grade) -> TrainingList:
    """The list with a grade for every document."""
    size = len(one.documents)
    scores = [_GRADES[grade](rank, size) if rank <= one.ordered else 0.0 for rank in range(1, size + 1)]
    return replace(one, scores=tuple(scores))


@dataclass(frozen=True, eq=False, kw_only=True)
class PairLists(Stage):
    """Preferences: lists of two, the preferred first. At most `pairs` a query, drawn by `seed` from those that the
    teacher's order decides among the query's first `top` candidates.
    """

    kind: ClassVar[str] = "pair-lists"

    lists: Stage
    """In the teacher's order."""
    subset: QuerySubset = keyed("draw")
    candidates: Stage
    top: int
    pairs: int
    seed: int = 0

    @property
    def label(self) -> str:
        return f"{self.subset.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        candidates = candidate_lists(subset_queries(self.subset, context), self.candidates, self.top, context)
        pairs: list[TrainingList] = []
        dropped: Counter[str] = Counter()
        for one in read_lists(context.path(self.lists)):
            pairs_of_query = preference_pairs(one, set(candidates[one.query]))
            chosen = random.Random(f"{self.seed}:{one.query}").sample(
                pairs_of_query, min(self.pairs, len(pairs_of_query))
            )
            pairs += [TrainingList(one.query, one.text, pair, 2) for pair in chosen]
            dropped["without a preference"] += not chosen
        ListsBuilt(tuple(pairs), +dropped).write(out)


def preference_pairs(one: TrainingList, among: set[str]) -> list[tuple[str, str]]:
    """Pairs of the documents in `among` that the order decides: two of the prefix, or one of the prefix and one of the
    tail."""
    return [
        (first, second)
        for (place, first), (_, second) in itertools.combinations(enumerate(one.documents), 2)
        if place < one.ordered and first in among and second in among
    ]


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomLists(Stage):
    """For each drawn query `depth` documents drawn from the whole corpus, in random order, all of it ordered."""

    kind: ClassVar[str] = "random-lists"

    subset: QuerySubset = keyed("draw")
    corpus: Texts
    depth: int
    seed: int = 0

    @property
    def label(self) -> str:
        return f"{self.subset.size:,} queries"

    def run(self, out: Path, context: Context) -> None:
        ids, drops = list(self.corpus.ids), drops_identical(self.subset.pool)
        lists = []
        for query in subset_queries(self.subset, context):
            chosen = random.Random(f"{self.seed}:{query.id}").sample(ids, min(self.depth + drops, len(ids)))
            if drops:
                chosen = [document for document in chosen if document != query.id][: self.depth]
            lists.append(TrainingList(query.id, query.text, tuple(chosen), len(chosen)))
        ListsBuilt(tuple(lists), {}).write(out)
