"""Training lists as arrays: every distinct text once, lists as rows of it, and batches of lists padded into tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.errors import UserError
from harness.losses.base import Target
from harness.students.lists import TrainingList

if TYPE_CHECKING:
    import torch


class TextSource(Protocol):
    """Where document texts come from; a corpus is one."""

    def texts(self, ids: Sequence[str]) -> list[str]: ...


@dataclass(frozen=True)
class Batch:
    """B lists: rows of the query texts (B,) and of the document texts (B, K), int64, 0 where there is no document, and the target."""

    lists: np.ndarray
    queries: np.ndarray
    documents: np.ndarray
    target: Target


@dataclass(frozen=True)
class ListTable:
    """Lists with their texts. `query_rows` (N,) and `document_rows` (N arrays) point into the distinct texts."""

    lists: Sequence[TrainingList]
    queries: list[str]
    documents: list[str]
    query_rows: np.ndarray
    document_rows: list[np.ndarray]

    @classmethod
    def of(cls, lists: Sequence[TrainingList], corpus: TextSource) -> ListTable:
        """Reads each document's text once."""
        ids = list(dict.fromkeys(document for one in lists for document in one.documents))
        row = {document: number for number, document in enumerate(ids)}
        texts = list(dict.fromkeys(one.text for one in lists))
        place = {text: number for number, text in enumerate(texts)}
        return cls(
            lists,
            texts,
            corpus.texts(ids),
            np.array([place[one.text] for one in lists], dtype=np.int64),
            [np.array([row[document] for document in one.documents], dtype=np.int64) for one in lists],
        )

    def batch(self, numbers: np.ndarray, device: torch.device, in_batch: bool = False) -> Batch:
        """The lists at `numbers` (B,). With `in_batch` the documents of the other lists follow each list as its unordered tail.

        Raises UserError when such a tail meets lists with scores, for it has none.
        """
        import torch

        chosen = [self.lists[number] for number in numbers]
        rows = [self.document_rows[number] for number in numbers]
        if in_batch:
            if any(one.scores is not None for one in chosen):
                raise UserError(
                    "in-batch documents have no scores", remedy="use a loss on the order or on gold labels, or turn in_batch off"
                )
            together = np.unique(np.concatenate(rows))
            rows = [np.concatenate([own, np.setdiff1d(together, own)]) for own in rows]
        mask = np.arange(max(map(len, rows))) < np.array([len(own) for own in rows])[:, None]
        documents = np.zeros(mask.shape, dtype=np.int64)
        documents[mask] = np.concatenate(rows)
        target = Target(
            mask=torch.from_numpy(mask).to(device),
            ordered=torch.tensor([one.ordered for one in chosen], device=device),
            scores=_scores(chosen, mask, device),
            first=_first(chosen, mask, device),
        )
        return Batch(numbers, self.query_rows[numbers], documents, target)


def _scores(chosen: Sequence[TrainingList], mask: np.ndarray, device: torch.device) -> torch.Tensor | None:
    import torch

    if any(one.scores is None for one in chosen):
        return None
    scores = np.zeros(mask.shape, dtype=np.float32)
    scores[mask] = np.concatenate([one.scores for one in chosen if one.scores is not None])
    return torch.from_numpy(scores).to(device)


def _first(chosen: Sequence[TrainingList], mask: np.ndarray, device: torch.device) -> torch.Tensor | None:
    import torch

    if not any(one.positives for one in chosen):
        return None
    first = np.zeros(mask.shape, dtype=bool)
    for row, one in enumerate(chosen):
        gold = set(one.positives)
        first[row, : len(one.documents)] = [document in gold for document in one.documents]
    return torch.from_numpy(first).to(device)


def micro_batches(numbers: np.ndarray, tokens: np.ndarray, most: int | None) -> list[np.ndarray]:
    """`numbers` cut, in their order, where their `tokens` would exceed `most`; a list larger than that stands alone."""
    if most is None:
        return [numbers]
    cuts, held = [], 0
    for place, size in enumerate(tokens[numbers]):
        if held and held + size > most:
            cuts.append(place)
            held = 0
        held += size
    return np.split(numbers, cuts)
