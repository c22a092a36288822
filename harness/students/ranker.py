"""Rankers: cross-encoders and bi-encoders that score the documents of a list; ``ranker.json`` says which of the two a
folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.device import deterministic
from harness.errors import UserError
from harness.pretrained.model_folder import read_json
from harness.students.architecture import Architecture, detect_architecture
from harness.students.projection import ProjectionRanker
from harness.students.retriever import BiEncoder
from harness.students.seq2seq_ranker import load_cross_encoder
from harness.students.student import Student

if TYPE_CHECKING:
    from harness.progress import Progress
    from harness.training_lists.list_dataset import ListDataset

FILE = "ranker.json"

COSINE_SCALE = 20.0
"""What a bi-encoder ranker multiplies its cosine with, so that its scores spread like a cross-encoder's."""


_LOADERS: dict[Architecture, Callable[[Path], Student]] = {
    "cross-encoder": load_cross_encoder,
    "bi-encoder": partial(BiEncoder.load, scale=COSINE_SCALE),
    "projection": partial(ProjectionRanker.load, scale=COSINE_SCALE),
}


def load_ranker(folder: Path, architecture: Architecture | None = None) -> Student:
    """The ranker in `folder`, as `architecture`, else as what it was trained. Raises UserError when the folder does not
    tell."""
    return _LOADERS[architecture or read_architecture(folder)](folder)


def score_lists(
    start: Path, architecture: Architecture, dataset: ListDataset, max_length: int, progress: Progress
) -> list[list[float]]:
    """What the ranker in `start` scores the documents of every list."""
    # A cross-encoder that was never trained draws its head here.
    with deterministic(0):
        return [row.tolist() for row in load_ranker(start, architecture).bind(dataset, max_length).score_all(progress)]


def save_ranker(ranker: Student, folder: Path, architecture: Architecture) -> None:
    """The model and ``ranker.json``; sentence-transformers' own class loads the folder too."""
    ranker.save(folder)
    (folder / FILE).write_text(json.dumps({"architecture": architecture}), encoding="utf-8")


def read_architecture(folder: Path) -> Architecture:
    """From ``ranker.json``, else from what sentence-transformers and transformers wrote. Raises UserError when neither
    tells."""
    architecture: Architecture | None = read_json(folder / FILE).get("architecture") or detect_architecture(folder)
    if architecture is None:
        raise UserError(
            f"'{folder}' is no trained ranker",
            remedy="give a cross-encoder, a sentence-transformers model, or train it first",
        )
    return architecture
