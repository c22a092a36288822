"""Training lists as arrays: every distinct text once, lists as rows of it, and batches of lists padded into tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.losses.loss import Target
from harness.training_lists.copies import CopiesLeftOut, TextSource, document_texts, without_copies
from harness.training_lists.training_list import TrainingList

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")


@dataclass(frozen=True)
class Batch:
    """B lists: rows of the query texts (B,) and of the document texts (B, K), int64, 0 where there is no document, and
    the target.

    `in_batch_documents` (D,) int64, ascending: rows of the documents that all lists see after their own; empty without
    in-batch negatives.
    """

    lists: np.ndarray
    queries: np.ndarray
    documents: np.ndarray
    in_batch_documents: np.ndarray
    target: Target


@dataclass(frozen=True)
class EncoderEmbeddings:
    """What a teacher encoder makes of the distinct texts of a dataset: queries (N, d) and documents (M, d) float32."""

    queries: np.ndarray
    documents: np.ndarray


@dataclass(frozen=True)
class ListDataset:
    """Lists with their texts. `query_rows` (N,) and `document_rows` (N arrays) point into the distinct texts, so that
    documents of one text are one row, whatever their ids.

    `document_ids` names a document of each distinct text. `gold_rows` (N arrays): the gold documents of each list's
    query, or copies of them, that stand in any list. `own_rows` (N arrays): the document that has the id of each list's
    query, where it is left out for the query and stands in another list. `embeddings`: of a teacher encoder, where a
    loss needs them.
    """

    lists: Sequence[TrainingList]
    queries: list[str]
    documents: list[str]
    query_rows: np.ndarray
    document_rows: list[np.ndarray]
    gold_rows: list[np.ndarray]
    document_ids: list[str]
    own_rows: list[np.ndarray] | None = None
    copies: CopiesLeftOut = field(default_factory=CopiesLeftOut)
    embeddings: EncoderEmbeddings | None = None

    @classmethod
    def of(cls, lists: Sequence[TrainingList], corpus: TextSource) -> ListDataset:
        """Reads each document's text once."""
        contents = document_texts(lists, corpus)
        first = {text: document for document, text in reversed(contents.items())}
        listed = dict.fromkeys(first[contents[document]] for one in lists for document in one.documents)
        ids = list(listed)
        number = {document: row for row, document in enumerate(ids)}
        row = {document: number[first[text]] for document, text in contents.items() if first[text] in number}
        texts = list(dict.fromkeys(one.text for one in lists))
        place = {text: number for number, text in enumerate(texts)}
        return cls(
            lists,
            texts,
            [contents[document] for document in ids],
            np.array([place[one.text] for one in lists], dtype=np.int64),
            [np.array([row[document] for document in one.documents], dtype=np.int64) for one in lists],
            [
                np.array([row[document] for document in one.positives if document in row], dtype=np.int64)
                for one in lists
            ],
            ids,
        )

    @classmethod
    def for_training(
        cls, lists: Sequence[TrainingList], corpus: TextSource, drop_identical: bool = False
    ) -> ListDataset:
        """Like `of`, in lists without copies (`without_copies`); with `drop_identical` the document that has the id of
        a query is no negative of it in batch either."""
        left, copies = without_copies(lists, corpus)
        dataset = replace(cls.of(left, corpus), copies=copies)
        return dataset._without_own() if drop_identical else dataset

    def _without_own(self) -> ListDataset:
        listed = zip(self.lists, self.document_rows, strict=True)
        row = {document: n for one, rows in listed for document, n in zip(one.documents, rows, strict=True)}
        own = [np.array([row[one.query]] if one.query in row else [], dtype=np.int64) for one in self.lists]
        return replace(self, own_rows=own)

    @property
    def provides(self) -> tuple[str, ...]:
        """What losses may need that these lists have: order, scores, gold labels, embeddings."""
        carried = {
            "order": any(one.ordered for one in self.lists),
            "scores": all(one.scores is not None for one in self.lists),
            "gold labels": any(one.positives for one in self.lists),
            "embeddings": self.embeddings is not None,
        }
        return tuple(name for name, is_there in carried.items() if is_there)

    def batch(self, numbers: np.ndarray, device: torch.device, in_batch: bool = False) -> Batch:
        """The lists at `numbers` (B,). With `in_batch` every list also sees the documents of the other lists, as
        negatives."""
        chosen = [self.lists[number] for number in numbers]
        rows = [self.document_rows[number] for number in numbers]
        mask = np.arange(max(map(len, rows))) < np.array([len(own) for own in rows])[:, None]
        documents = np.zeros(mask.shape, dtype=np.int64)
        documents[mask] = np.concatenate(rows)
        pool = np.unique(documents[mask]) if in_batch else np.zeros(0, dtype=np.int64)
        target = Target(
            mask=torch.from_numpy(mask).to(device),
            ordered=torch.tensor([one.ordered for one in chosen], device=device),
            scores=_scores(chosen, mask, device),
            positives=self._positives(numbers, mask, device),
            in_batch_negatives=torch.from_numpy(self._in_batch_negatives(numbers, pool)).to(device)
            if in_batch
            else None,
            teacher_embeddings=self._teacher_embeddings(numbers, documents, device),
        )
        return Batch(numbers, self.query_rows[numbers], documents, pool, target)

    def _teacher_embeddings(
        self, numbers: np.ndarray, documents: np.ndarray, device: torch.device
    ) -> torch.Tensor | None:
        if self.embeddings is None:
            return None
        queries = self.embeddings.queries[self.query_rows[numbers]]
        rows = np.concatenate([queries[:, None], self.embeddings.documents[documents]], axis=1)
        return torch.from_numpy(rows).to(device)

    def _positives(self, numbers: np.ndarray, mask: np.ndarray, device: torch.device) -> torch.Tensor | None:
        if not any(one.positives for one in self.lists):
            return None
        gold = np.zeros(mask.shape, dtype=bool)
        gold[mask] = np.concatenate([np.isin(self.document_rows[number], self.gold_rows[number]) for number in numbers])
        return torch.from_numpy(gold).to(device)

    def _in_batch_negatives(self, numbers: np.ndarray, pool: np.ndarray) -> np.ndarray:
        """(B, D) bool: which documents of `pool` are in no list of the same query and not known to answer it."""
        columns = [self.document_rows, self.gold_rows, *([] if self.own_rows is None else [self.own_rows])]
        known = np.stack([np.isin(pool, np.concatenate([rows[number] for rows in columns])) for number in numbers])
        same = self.query_rows[numbers][:, None] == self.query_rows[numbers]
        negatives: np.ndarray = ~(same @ known)
        return negatives


def _scores(chosen: Sequence[TrainingList], mask: np.ndarray, device: torch.device) -> torch.Tensor | None:
    if any(one.scores is None for one in chosen):
        return None
    scores = np.zeros(mask.shape, dtype=np.float32)
    scores[mask] = np.concatenate([one.scores for one in chosen if one.scores is not None])
    return torch.from_numpy(scores).to(device)


def micro_batches(numbers: np.ndarray, tokens: np.ndarray, most: int | None) -> list[np.ndarray]:
    """`numbers` cut, in their order, where their `tokens` would exceed `most`; a list larger than that is a pass of its
    own."""
    if most is None or not len(numbers):
        return [numbers] if len(numbers) else []
    cuts, size = [], 0
    for place, more in enumerate(tokens[numbers]):
        if size and size + more > most:
            cuts.append(place)
            size = 0
        size += more
    return np.split(numbers, cuts)
