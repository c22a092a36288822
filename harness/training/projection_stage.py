"""The training of a projection ranker as a stage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from harness.models import model_path
from harness.retrieval.search_stages import Embed
from harness.stage import Context
from harness.students.projection import ProjectionRanker
from harness.students.projection_scores import document_embeddings
from harness.students.ranker import COSINE_SCALE, save_ranker
from harness.training.train_stages import TrainRanker, check_needs, stage_checkpoint
from harness.training.training_job import TrainingJob


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainProjection(TrainRanker):
    """`TrainRanker` for a projection ranker. `embeddings` are those of its encoder, shared by all trainings."""

    kind: ClassVar[str] = "projection-ranker"

    embeddings: Embed

    def run(self, out: Path, context: Context) -> None:
        dataset = self.dataset(out, context)
        check_needs(self.loss, dataset)
        vectors = document_embeddings(self.embeddings, dataset, context)
        load = partial(ProjectionRanker.load, model_path(self.start, context), COSINE_SCALE, vectors)
        save = partial(save_ranker, architecture=self.architecture)
        job = TrainingJob(load, save, dataset, self.loss, self.train, self.max_length, self.seed)
        job.run(out, stage_checkpoint(self, context.cache), context.progress)
