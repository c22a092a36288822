"""A ranker that has seen no label: titles against bodies, with first-stage negatives.

Rank-DistiLLM (arXiv 2405.07920), too, trains contrastively before it distils; here the positives cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Corpus
from harness.collections.own_documents import drops_identical
from harness.losses.spec import LossSpec
from harness.stage import Context, Stage
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import RankerStage
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.list_learning import NO_COPIES
from harness.training_lists.training_list import ListsBuilt, TrainingList, read_lists


@dataclass(frozen=True)
class Bodies:
    """The documents of a corpus without their titles."""

    corpus: Corpus

    def texts(self, ids: Sequence[str]) -> list[str]:
        """Texts without their titles, in the order of `ids`."""
        bodies = {document.id: document.text for document in self.corpus.documents(self.corpus.rows(ids))}
        return [bodies[document] for document in ids]


@dataclass(frozen=True, eq=False, kw_only=True)
class WarmUpRanker(RankerStage):
    """A ranker trained to find the body that a title belongs to, among what the first stage found for the title.

    `lists` are `GoldLists` over a pool of titles, whose gold is the title's own document. No document shows its title,
    for otherwise the negatives would give themselves away by theirs.
    """

    kind: ClassVar[str] = "ranker-warmup"
    trains: ClassVar[bool] = True

    lists: Stage
    corpus: Corpus
    loss: LossSpec = field(default_factory=lambda: LossSpec.of("infonce"))
    train: TrainSettings = field(default_factory=lambda: TrainSettings(epochs=1))

    @property
    def label(self) -> str:
        return f"{self.architecture}, {self.lists.label}"

    def fields(self) -> dict[str, Any]:
        return super().fields() | (NO_COPIES if getattr(self.corpus, "body_copies", 0) else {})

    def run(self, out: Path, context: Context) -> None:
        bodies = Bodies(self.corpus)
        built = drop_empty_documents(read_lists(context.path(self.lists)), bodies)
        built.write(out)
        dataset = ListDataset.for_training(built.lists, bodies, drops_identical(self.lists))
        dataset.copies.write(out)
        self.train_on(dataset, out, context)


def drop_empty_documents(lists: Sequence[TrainingList], bodies: Bodies) -> ListsBuilt:
    """The lists without documents that are nothing but a title; a list that loses its positive or all its negatives is
    dropped."""
    ids = list(dict.fromkeys(document for one in lists for document in one.documents))
    empty = {document for document, body in zip(ids, bodies.texts(ids), strict=True) if not body.strip()}
    shortened = [left for one in lists if (left := _drop_documents(one, empty)) is not None]
    dropped = len(lists) - len(shortened)
    return ListsBuilt(tuple(shortened), {"left without a body": dropped} if dropped else {})


def _drop_documents(one: TrainingList, empty: set[str]) -> TrainingList | None:
    documents = tuple(document for document in one.documents if document not in empty)
    positives = [document for document in documents if document in one.positives]
    if not positives or len(documents) == len(positives):
        return None
    return replace(one, documents=documents, ordered=len(positives))
