"""Which queries of a split are not independent, as the collection itself tells: by a field of their metadata, or
because they share a relevant document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from harness.collections.collection import Collection, Qrels
from harness.collections.folder import CLUSTER
from harness.errors import UserError, did_you_mean

PASSAGE = "passage"
"""By what queries are in clusters that share a relevant document."""


class QueryClusters(NamedTuple):
    """`names` (query id -> its cluster) by `by`, PASSAGE or a field of the metadata; queries without a cluster are left
    out and stand for themselves."""

    by: str
    names: Mapping[str, str]


def query_clusters(collection: Collection, split: str, by: str | None = None) -> QueryClusters | None:
    """The clusters of a split; without `by` those of the field ``cluster``, None where no query has it. Raises
    UserError where no query has the field that was asked for."""
    if by == PASSAGE:
        return QueryClusters(by, sharing_documents(collection.judgments(split).qrels))
    metadata = collection.metadata(split)
    field = by or CLUSTER
    names = {query: fields[field] for query, fields in metadata.items() if field in fields}
    if by is not None and not names:
        known = sorted({name for fields in metadata.values() for name in fields})
        raise UserError(
            f"no query of '{collection.name}' ({split}) has the field '{by}' in its metadata",
            remedy=did_you_mean(by, [PASSAGE, *known], "metadata are texts or whole numbers in queries.jsonl"),
        )
    return QueryClusters(field, names) if names else None


def sharing_documents(qrels: Qrels) -> dict[str, str]:
    """For each query of `qrels` with a relevant document the least id among those of all queries that it shares one
    with, directly or through others."""
    leader: dict[str, str] = {}

    def find(document: str) -> str:
        while leader.setdefault(document, document) != document:
            leader[document] = leader[leader[document]]
            document = leader[document]
        return document

    for relevant in _relevant(qrels):
        for document in relevant[1:]:
            first, second = sorted((find(relevant[0]), find(document)))
            leader[second] = first
    named = zip(qrels, _relevant(qrels), strict=True)
    return {query: find(relevant[0]) for query, relevant in named if relevant}


def _relevant(qrels: Qrels) -> Iterator[list[str]]:
    return ([document for document, grade in grades.items() if grade > 0] for grades in qrels.values())


def seen_in_training(collection: Collection, split: str) -> float | None:
    """The share of the queries of `split` that have a relevant document which is relevant to a training query too; None
    without training queries that people wrote."""
    if "train" not in collection.splits or split == "train":
        return None
    taught = {document for relevant in _relevant(collection.judgments("train").qrels) for document in relevant}
    asked = list(_relevant(collection.judgments(split).qrels))
    return sum(not taught.isdisjoint(relevant) for relevant in asked) / len(asked)
