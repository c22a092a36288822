"""Candidate lists that a projection ranker scores, from embeddings of the corpus that other stages share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.models import ModelFiles, model_path
from harness.retrieval.search_stages import EMBEDDINGS, Embed
from harness.stage import Context, Stage
from harness.students.projection import ProjectionRanker
from harness.students.ranker import COSINE_SCALE
from harness.students.ranker_scored_lists import CandidateScores
from harness.students.rerank_stages import Rerank
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import TrainingList


@dataclass(frozen=True, eq=False, kw_only=True)
class ProjectionScores(CandidateScores):
    """`CandidateScores` of a projection ranker. `embeddings` are those of its encoder."""

    kind: ClassVar[str] = "projection-scores"

    embeddings: Embed

    def list_scores(self, lists: Sequence[TrainingList], context: Context) -> list[list[float]]:
        return projected_scores(self.ranker, self.embeddings, self.max_length, lists, context)


@dataclass(frozen=True, eq=False, kw_only=True)
class ProjectionRerank(Rerank):
    """`Rerank` by a projection ranker. `embeddings` are those of its encoder."""

    kind: ClassVar[str] = "projection-rerank"

    embeddings: Embed

    def list_scores(self, lists: Sequence[TrainingList], context: Context) -> list[list[float]]:
        return projected_scores(self.ranker, self.embeddings, self.max_length, lists, context)


def projected_scores(
    ranker: ModelFiles | Stage, embeddings: Embed, max_length: int, lists: Sequence[TrainingList], context: Context
) -> list[list[float]]:
    """What a projection ranker scores the documents of every list, whose embeddings are there."""
    dataset = ListDataset.of(lists, embeddings.texts)
    vectors = document_embeddings(embeddings, dataset, context)
    loaded = ProjectionRanker.load(model_path(ranker, context), COSINE_SCALE, vectors)
    return [row.tolist() for row in loaded.bind(dataset, max_length).score_all(context.progress)]


def document_embeddings(embeddings: Embed, dataset: ListDataset, context: Context) -> np.ndarray:
    """(M, d) float32: the embeddings of the distinct documents of `dataset`, in its order."""
    stored = np.load(context.path(embeddings) / EMBEDDINGS, mmap_mode="r")
    return np.asarray(stored[embeddings.texts.rows(dataset.document_ids)], dtype=np.float32)
