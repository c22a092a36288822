"""Training lists from queries that a teacher wrote for documents of the corpus, as stages."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Texts
from harness.collections.crops import TrainingQuery
from harness.collections.pool import FILE, read_pool
from harness.collections.splits import normalised
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.teacher import Candidate, Task
from harness.retrieval.run import Run
from harness.stage import Context, Stage
from harness.teachers.writing import written_query
from harness.training_lists.training_list import ListsBuilt, from_gold

SOURCE = "written"


@dataclass(frozen=True, eq=False, kw_only=True)
class QueryLabels(Labels):
    """Queries written for the first `documents` of the corpus, shuffled for the draw's resample: each the raw text of a
    ranking.

    The drawn training queries are not read.
    """

    kind: ClassVar[str] = "query-labels"
    writes: ClassVar[bool] = True

    documents: int

    @property
    def label(self) -> str:
        return f"{self.teacher.name}, {self.documents:,} documents, resample {self.subset.resample}"

    @property
    def asked(self) -> int:
        return self.documents

    @property
    def task_inputs(self) -> tuple[Stage, ...]:
        return ()

    def tasks(self, pool: Path, candidates: Path) -> list[Task]:
        ids = sorted(self.corpus.ids)
        random.Random(f"{SOURCE}:{self.subset.resample}").shuffle(ids)
        chosen = ids[: self.documents]
        texts = self.corpus.texts(chosen)
        return [Task(f"{SOURCE}:{id}", "", (Candidate(id, text),)) for id, text in zip(chosen, texts, strict=True)]


@dataclass(frozen=True, eq=False, kw_only=True)
class WrittenQueries(Stage):
    """The written queries as a pool (``pool.jsonl``), each with its document as gold. Of equal ones the first stays,
    and none that equals a query of `held_out` (dev and test).
    """

    kind: ClassVar[str] = "written-queries"

    labels: Stage
    held_out: tuple[Texts, ...]

    @property
    def label(self) -> str:
        return self.labels.label

    def run(self, out: Path, context: Context) -> None:
        seen = {normalised(text) for texts in self.held_out for text in texts.slice_texts(0, len(texts))}
        with (out / FILE).open("w", encoding="utf-8") as stream:
            for ranking in read_rankings(context.path(self.labels) / RANKINGS):
                text = written_query(ranking.raw)
                if ranking.ranked and normalised(text) not in seen:
                    seen.add(normalised(text))
                    query = TrainingQuery(ranking.query, text, SOURCE, {ranking.ranked[0]: 1})
                    stream.write(json.dumps(query._asdict(), ensure_ascii=False) + "\n")


@dataclass(frozen=True, eq=False, kw_only=True)
class ConsistentLists(Stage):
    """Lists of the written queries: their document, then what `candidates` found instead.

    Used are the queries that find their document among the first `within` (all, where None).
    """

    kind: ClassVar[str] = "consistent-lists"

    written: Stage
    candidates: Stage
    """A run over the written queries."""
    depth: int
    within: int | None

    @property
    def label(self) -> str:
        return self.written.label

    def run(self, out: Path, context: Context) -> None:
        run, queries = Run.read(context.path(self.candidates)), read_pool(context.path(self.written))
        consistent = [
            query for query in queries if self.within is None or set(query.gold) & set(run.top(query.id, self.within))
        ]
        built = from_gold(consistent, {query.id: run.top(query.id, self.depth) for query in consistent}, self.depth, 1)
        dropped = len(queries) - len(consistent)
        ListsBuilt(built.lists, Counter(built.dropped) + Counter({"that do not find their document": dropped})).write(
            out
        )
