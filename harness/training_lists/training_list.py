"""Training lists: what every trained method reads, whoever ordered them (a teacher, a ranker, or gold judgments)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness._lazy import lazy
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.collections.crops import TrainingQuery
    from harness.labelling.labels.ranking import Ranking


pa = lazy("pyarrow")
pq = lazy("pyarrow.parquet")

FILE = "lists.parquet"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class TrainingList:
    """One query with documents in the order a student should learn.

    The first `ordered` of `documents` are best first, the rest is an unordered tail. `scores` belong to `documents` one
    by one, higher is better. `positives` are the gold documents of the query, in the list or not, as far as they may be
    known.
    """

    query: str
    text: str
    documents: tuple[str, ...]
    ordered: int
    scores: tuple[float, ...] | None = None
    positives: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListsBuilt:
    """Lists, and how many queries gave none, by reason."""

    lists: tuple[TrainingList, ...]
    dropped: Mapping[str, int]

    def write(self, folder: Path) -> None:
        """``lists.parquet`` and ``summary.json``. Raises UserError when no list is left."""
        if not self.lists:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.dropped.items()) or "no query was drawn"
            raise UserError(
                f"not one query gives a training list ({reasons})", remedy="look at the labels: harness labels stats"
            )
        write_lists(folder, self.lists)
        summary = {"lists": len(self.lists), "dropped": dict(self.dropped)}
        (folder / SUMMARY).write_text(json.dumps(summary, indent=1), encoding="utf-8")


def write_lists(folder: Path, lists: Iterable[TrainingList]) -> None:
    """Write ``lists.parquet``, in the given order."""
    texts = pa.list_(pa.string())
    schema = pa.schema(
        {
            "query": pa.string(),
            "text": pa.string(),
            "documents": texts,
            "ordered": pa.int32(),
            "scores": pa.list_(pa.float64()),
            "positives": texts,
        }
    )
    pq.write_table(pa.Table.from_pylist([asdict(one) for one in lists], schema=schema), folder / FILE)


def read_lists(folder: Path) -> list[TrainingList]:
    """The lists of an artefact, in its order."""
    return [
        TrainingList(
            query=row["query"],
            text=row["text"],
            documents=tuple(row["documents"]),
            ordered=row["ordered"],
            scores=None if row["scores"] is None else tuple(row["scores"]),
            positives=tuple(row["positives"]),
        )
        for row in pq.read_table(folder / FILE).to_pylist()
    ]


def from_gold(
    queries: Sequence[TrainingQuery], candidates: Mapping[str, Sequence[str]], depth: int, most_positives: int
) -> ListsBuilt:
    """Gold first (falling grade, then candidate order), then the candidates that are not gold, `depth` documents in
    all.

    At most `most_positives` gold documents stay; those that the first stage found come before those it missed, which
    are added. The others are still named as positives. Every candidate that is not gold counts as a negative. A query
    whose gold is empty, or that has no negative, is dropped.
    """
    lists: list[TrainingList] = []
    dropped: Counter[str] = Counter()
    for query in queries:
        gold = {document: grade for document, grade in query.gold.items() if grade > 0}
        found = candidates.get(query.id, ())
        place = {document: number for number, document in enumerate(found)}
        known = sorted(
            sorted(gold, reverse=True), key=lambda document: (place.get(document, len(found)), -gold[document])
        )
        positives = sorted(
            known[:most_positives], key=lambda document: (-gold[document], place.get(document, len(found)))
        )
        negatives = [document for document in found if document not in gold][: depth - len(positives)]
        if not positives or not negatives:
            dropped["without a gold document" if not positives else "without a negative"] += 1
            continue
        documents = (*positives, *negatives)
        lists.append(
            TrainingList(
                query.id, query.text, documents, len(positives), positives=(*positives, *known[most_positives:])
            )
        )
    return ListsBuilt(tuple(lists), dropped)


def from_rankings(queries: Sequence[TrainingQuery], rankings: Mapping[str, Ranking]) -> ListsBuilt:
    """The teacher's order of each query. A ranking that orders nothing, and a list of fewer than two documents, are
    dropped.

    Raises UserError when a query has no ranking at all.
    """
    lists: list[TrainingList] = []
    dropped: Counter[str] = Counter()
    for query in queries:
        if query.id not in rankings:
            raise UserError(
                f"the labels hold no ranking for the query '{query.id}'",
                remedy="label the same draw of queries, or a larger one",
            )
        ranking = rankings[query.id]
        documents = ranking.ranked + ranking.unranked
        if not ranking.ranked or len(documents) < 2:
            dropped["with nothing ordered" if not ranking.ranked else "with fewer than two documents"] += 1
            continue
        lists.append(TrainingList(query.id, query.text, documents, len(ranking.ranked), ranking.scores))
    return ListsBuilt(tuple(lists), dropped)


def from_scores(lists: Sequence[TrainingList], scores: Sequence[Sequence[float]]) -> ListsBuilt:
    """The same lists ordered by `scores` (one a document): falling score, ties by document id descending."""
    ordered: list[TrainingList] = []
    for one, values in zip(lists, scores, strict=True):
        ranked = sorted(zip(values, one.documents, strict=True), reverse=True)
        documents = tuple(document for _, document in ranked)
        numbers = tuple(float(value) for value, _ in ranked)
        ordered.append(TrainingList(one.query, one.text, documents, len(documents), numbers, one.positives))
    return ListsBuilt(tuple(ordered), {})
