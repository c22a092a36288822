"""Candidate lists that a projection ranker scores, from embeddings of the corpus that other stages share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.models import model_path
from harness.retrieval.search_stages import EMBEDDINGS, Embed
from harness.stage import Context
from harness.students.projection import ProjectionRanker
from harness.students.ranker import COSINE_SCALE
from harness.students.ranker_scored_lists import CandidateScores
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import TrainingList


@dataclass(frozen=True, eq=False, kw_only=True)
class ProjectionScores(CandidateScores):
    """`CandidateScores` of a projection ranker. `embeddings` are those of its encoder."""

    kind: ClassVar[str] = "projection-scores"

    embeddings: Embed

    def list_scores(self, lists: tuple[TrainingList, ...], context: Context) -> list[list[float]]:
        dataset = ListDataset.of(lists, self.corpus)
        vectors = document_embeddings(self.embeddings, lists, context)
        ranker = ProjectionRanker.load(model_path(self.ranker, context), COSINE_SCALE, vectors)
        return [row.tolist() for row in ranker.bind(dataset, self.max_length).score_all(context.progress)]


def document_embeddings(embeddings: Embed, lists: Iterable[TrainingList], context: Context) -> np.ndarray:
    """(M, d) float32: the embeddings of the documents of `lists`, in the order of `ListDataset.of`."""
    ids = list(dict.fromkeys(document for one in lists for document in one.documents))
    stored = np.load(context.path(embeddings) / EMBEDDINGS, mmap_mode="r")
    return np.asarray(stored[embeddings.texts.rows(ids)], dtype=np.float32)
