"""The embeddings of a teacher encoder, turned onto the space of a student, and the training that is given them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from harness.models import ModelFiles, model_path
from harness.retrieval.encode import Task, encode, load_encoder
from harness.stage import Context
from harness.training.train_stages import TrainRetriever
from harness.training_lists.list_dataset import EncoderEmbeddings, ListDataset


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainTowardsEncoder(TrainRetriever):
    """`TrainRetriever` with a loss that reads the embeddings of a teacher encoder."""

    kind: ClassVar[str] = "encoder-taught-retriever"

    encoder: ModelFiles

    def dataset(self, out: Path, context: Context) -> ListDataset:
        dataset = super().dataset(out, context)
        student = _embedded(model_path(self.start, context), dataset, self.max_length)
        teacher = _embedded(self.encoder.path, dataset, self.max_length)
        turned = turn(np.concatenate(teacher), np.concatenate(student))
        embeddings = EncoderEmbeddings(*np.split(turned, [len(dataset.queries)]))
        return replace(dataset, embeddings=embeddings)


def _embedded(folder: Path, dataset: ListDataset, max_length: int) -> list[np.ndarray]:
    """Embeddings (N, d) and (M, d) of the dataset's queries and documents as the encoder compares them."""
    encoder = load_encoder(folder, max_length)
    sides: tuple[tuple[list[str], Task], ...] = ((dataset.queries, "query"), (dataset.documents, "document"))
    found = [encode(encoder, texts, side) for texts, side in sides]
    if encoder.similarity == "cosine":
        return [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in found]
    return found


def turn(teacher: np.ndarray, student: np.ndarray) -> np.ndarray:
    """`teacher` (n, t) in the student's dimensions, as near to `student` (n, s) as a rotation brings it: (n, s).

    Where t is larger than s, the s directions stay that keep most of the inner products (Eckart & Young 1936, without
    centring); then the rotation with the least squared distance (orthogonal Procrustes, Schoenemann 1966). Inner
    products between what is left do not change.
    """
    width = student.shape[1]
    rows = teacher.astype(np.float64)
    if rows.shape[1] > width:
        _, axes = np.linalg.eigh(rows.T @ rows)
        rows = rows @ axes[:, : -width - 1 : -1]
    rows = np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
    left, _, right = np.linalg.svd(rows.T @ student.astype(np.float64))
    turned: np.ndarray = rows @ (left @ right)
    return turned.astype(np.float32)
