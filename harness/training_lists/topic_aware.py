"""Training lists that also hold documents of similar queries: the topic-aware batches of TAS-B, list by list."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness._lazy import lazy
from harness.collections.own_documents import drops_identical
from harness.models import ModelFiles, model_path
from harness.retrieval.encode import encode, load_encoder
from harness.stage import Context, Stage, keyed
from harness.training_lists.training_list import ListsBuilt, TrainingList, read_lists

if TYPE_CHECKING:
    import numpy as np


vq = lazy("scipy.cluster.vq")


@dataclass(frozen=True, eq=False, kw_only=True)
class TopicAwareLists(Stage):
    """Lists of gold and negatives, each followed by gold and first negative of `cluster_neighbours` others of its
    cluster.

    Queries are clustered by k-means over the embeddings of `encoder`, about `cluster_size` to a cluster.
    """

    kind: ClassVar[str] = "clustered-lists"
    computes: ClassVar[bool | None] = True

    lists: Stage
    encoder: ModelFiles | Stage
    cluster_size: int
    cluster_neighbours: int = keyed("mates")
    max_length: int
    seed: int = 0

    @property
    def label(self) -> str:
        return self.lists.label

    def run(self, out: Path, context: Context) -> None:
        lists = read_lists(context.path(self.lists))
        encoder = load_encoder(model_path(self.encoder, context), self.max_length)
        clusters = cluster_vectors(encode(encoder, [one.text for one in lists], "query"), self.cluster_size, self.seed)
        drops = drops_identical(self.lists)
        extended = add_cluster_documents(lists, clusters, self.cluster_neighbours, self.seed, drops)
        ListsBuilt(tuple(extended), {}).write(out)


def cluster_vectors(vectors: np.ndarray, size: int, seed: int) -> list[int]:
    """The cluster of each of `vectors` (N, d), of about `size` members each."""
    number = max(1, round(len(vectors) / size))
    _, labels = vq.kmeans2(vectors.astype("float64"), number, minit="++", seed=seed)
    return [int(label) for label in labels]


def add_cluster_documents(
    lists: Sequence[TrainingList], clusters: Sequence[int], neighbours: int, seed: int, drop_identical: bool = False
) -> list[TrainingList]:
    """Each list followed by two documents of at most `neighbours` others of its cluster; none twice, none that is
    its own gold, and with `drop_identical` not the one that has the id of its query."""
    extended = []
    for number, one in enumerate(lists):
        others = [
            other for place, other in enumerate(lists) if clusters[place] == clusters[number] and other.text != one.text
        ]
        chosen = random.Random(f"{seed}:{one.query}").sample(others, min(neighbours, len(others)))
        pairs = [document for other in chosen for document in (other.documents[0], other.documents[other.ordered])]
        own = {one.query} if drop_identical else set()
        new = [document for document in pairs if document not in one.positives and document not in own]
        extended.append(replace(one, documents=tuple(dict.fromkeys((*one.documents, *new)))))
    return extended
