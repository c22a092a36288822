"""What the card of a run says of the collection and split that it was evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, PositiveInt

from harness.published.card_section import CardSection, Hash, Line
from harness.stage import digest


class ClustersOnCard(CardSection):
    """Queries of the split that are not independent; which is in which stands in ``clusters.parquet``."""

    by: Line
    """A field of their metadata, or ``passage``: queries that share a relevant document."""
    count: PositiveInt
    """How many clusters there are; queries without one stand for themselves and are not counted."""
    content: Hash
    """Of which query is in which."""

    @classmethod
    def of(cls, by: str, named: Mapping[str, str]) -> ClustersOnCard:
        """Of query -> cluster, told apart `by`."""
        return cls(by=by, count=len(set(named.values())), content=digest(dict(named)))


class TestCollection(CardSection):
    """What the run was evaluated on."""

    __test__ = False
    absent = frozenset({"former_content_hash", "drop_identical", "warnings", "clusters", "seen_in_training"})

    name: Line
    split: Line
    content_hash: Hash = Field(alias="content hash")
    """Of the documents, and the queries and judgments of the split, in any order; on cards of earlier versions of
    all splits in their order."""
    former_content_hash: Hash | None = Field(default=None, alias="former content hash")
    """What the content hash would have been in earlier versions; absent on disk on their cards."""
    drop_identical: bool = Field(default=False, alias="drop identical")
    """Whether documents were left out that have the id of their query; absent on disk where none were."""
    source: Line = ""
    warnings: tuple[Line, ...] = ()
    """What is wrong with its data, one line a kind; absent on disk where nothing is, or nobody looked."""
    clusters: ClustersOnCard | None = None
    """Absent on disk where queries count as independent."""
    seen_in_training: Annotated[float, Field(ge=0, le=1)] | None = Field(default=None, alias="seen in training")
    """The share of its queries with a relevant document that is relevant to a training query too; absent on disk where
    it is not known, or people wrote no training queries."""
