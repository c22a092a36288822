"""The inputs of a cell with the stages that methods are made of, so that equal settings of several methods share
stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.collections.pool import training_pool
from harness.collections.sample import QuerySubset
from harness.losses.spec import LossChoice
from harness.method import Edit, MethodInputs
from harness.models import ModelFiles, resolve_model
from harness.plugins import Settings
from harness.retrieval.search_stages import Embed, lexical_search
from harness.retrieval.student_type import student_type_of
from harness.stage import Stage
from harness.students.projection_scores import ProjectionScores
from harness.students.ranker_scored_lists import CandidateScores, ScoredLists
from harness.training.projection_stage import TrainProjection
from harness.training.ranker_warmup import WarmUpRanker
from harness.training.student_settings import RankerSettings, StudentSettings, settings_as
from harness.training.teacher_embeddings import TrainTowardsEncoder
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import RankerStage, TrainRanker, TrainRetriever, TrainTypedStudent
from harness.training_lists.list_stages import EditedLists, GoldLists, RankedLists


@dataclass(frozen=True)
class TrainingInputs(MethodInputs):
    """What methods are given."""

    def teacher_lists(self, edit: Edit | None = None) -> Stage:
        if edit is None:
            return RankedLists(labels=self.labels(), subset=self.subset())
        return EditedLists(labels=self.labels(), subset=self.subset(), edit=edit)

    def gold_lists(self, most_positives: int | None = None) -> Stage:
        return GoldLists(
            subset=self.subset(), candidates=self.candidates, depth=self.list_depth, most_positives=most_positives
        )

    def untrained_ranker(self, settings: Settings | None = None) -> ModelFiles | Stage:
        how = settings_as(RankerSettings, settings)
        start = resolve_model(how.start, self.base) if how.start is not None else self.ranker
        return self._warmed_up(start, how) if how.warmup_queries else start

    def train_ranker(self, lists: Stage, loss: LossChoice, settings: Settings | None = None) -> Stage:
        how = settings_as(RankerSettings, settings)
        start = self.untrained_ranker(how)
        training: dict[str, Any] = {
            "start": start,
            "architecture": how.architecture,
            "lists": lists,
            "corpus": self.collection.corpus,
            "loss": self.loss(loss),
            "train": settings_as(TrainSettings, settings, how),
            "seed": self.seed or 0,
            "max_length": how.max_length,
        }
        if how.architecture == "projection":
            return TrainProjection(**training, embeddings=self._embeddings(start, how.max_length))
        return TrainRanker(**training)

    def score_with(
        self, ranker: ModelFiles | Stage, subset: QuerySubset | None = None, settings: Settings | None = None
    ) -> Stage:
        scoring: dict[str, Any] = {
            "ranker": ranker,
            "subset": subset or self.subset(),
            "candidates": self.candidates,
            "corpus": self.collection.corpus,
            "depth": self.list_depth,
            **_form(ranker, settings),
        }
        if scoring["architecture"] == "projection":
            encoder = ranker.start if isinstance(ranker, TrainProjection) else ranker
            return ProjectionScores(**scoring, embeddings=self._embeddings(encoder, scoring["max_length"]))
        return CandidateScores(**scoring)

    def score_lists(self, ranker: ModelFiles | Stage, lists: Stage, settings: Settings | None = None) -> Stage:
        return ScoredLists(lists=lists, ranker=ranker, corpus=self.collection.corpus, **_form(ranker, settings))

    def train_retriever(self, lists: Stage, loss: LossChoice, settings: Settings | None = None) -> Stage:
        student = settings_as(StudentSettings, settings)
        training: dict[str, Any] = {
            "start": self.retriever,
            "lists": lists,
            "corpus": self.collection.corpus,
            "loss": self.loss(loss),
            "train": settings_as(TrainSettings, settings, student),
            "seed": self.seed or 0,
            "max_length": self.max_length,
            "frozen_documents": student.frozen_documents,
        }
        if student.frozen_documents:
            training["start"] = self.encoder("frozen_documents: true")
        if (teacher := training["loss"].encoder) is not None:
            training["start"] = self.encoder(f"the loss '{training['loss']}'")
            return TrainTowardsEncoder(**training, encoder=resolve_model(teacher, self.base))
        if (kind := student_type_of(self.retriever)) is not None:
            return TrainTypedStudent(**training, student=kind)
        return TrainRetriever(**training)

    def _embeddings(self, encoder: ModelFiles | Stage, max_length: int) -> Embed:
        """What a projection ranker starts from, the same stage as that of a dense first stage with this encoder."""
        return Embed(model=encoder, texts=self.collection.corpus, max_length=max_length)

    def _warmed_up(self, start: ModelFiles, how: RankerSettings) -> Stage:
        """The ranker after its warm-up without labels; one stage for all methods, budgets, resamples and losses."""
        corpus = self.collection.corpus
        titles = training_pool(self.collection, ("titles",), how.warmup_queries)
        negatives = lexical_search("bm25s", {}, corpus, titles, self.list_depth)
        lists = GoldLists(
            subset=QuerySubset(titles, 0, how.warmup_queries),
            candidates=negatives,
            depth=self.list_depth,
            most_positives=1,
        )
        return WarmUpRanker(
            start=start,
            architecture=how.architecture,
            lists=lists,
            corpus=corpus,
            train=settings_as(TrainSettings, how).model_copy(update={"epochs": 1, "stop": None}),
            seed=self.seed or 0,
            max_length=how.max_length,
        )


def _form(ranker: ModelFiles | Stage, settings: Settings | None) -> dict[str, Any]:
    """How a ranker reads: as it was trained, or where nothing trained it as the settings say."""
    if isinstance(ranker, RankerStage):
        return {"architecture": ranker.architecture, "max_length": ranker.max_length}
    how = settings_as(RankerSettings, settings)
    return {"architecture": how.architecture, "max_length": how.max_length}
