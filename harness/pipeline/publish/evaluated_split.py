"""What a card says of the split that a run was evaluated on, and which of its queries are not independent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from harness.collections.collection import Collection
from harness.evaluation.query_clusters import query_clusters, seen_in_training
from harness.published.card_collection import ClustersOnCard, TestCollection


class EvaluatedSplit(NamedTuple):
    """`about` as cards have it, and the cluster of each query that is not independent."""

    about: TestCollection
    clusters: Mapping[str, str]


@lru_cache(maxsize=16)
def evaluated_split(collection: Collection, split: str, by: str | None = None) -> EvaluatedSplit:
    """The split of `collection`, its queries in clusters `by` (see `query_clusters`). Raises UserError as that does."""
    found = query_clusters(collection, split, by)
    about = TestCollection(
        name=collection.name,
        split=split,
        content_hash=collection.split_hash(split),
        former_content_hash=collection.content_hash,
        drop_identical=collection.judgments(split).drop_identical,
        clusters=ClustersOnCard.of(found.by, found.names) if found is not None else None,
        seen_in_training=seen_in_training(collection, split),
    )
    about = about.model_copy(update={"warnings": collection.report.faults()})
    return EvaluatedSplit(about, found.names if found is not None else {})
