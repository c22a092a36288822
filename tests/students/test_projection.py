"""A ranker under whose frozen encoder two projections learn."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.progress import silent
from harness.retrieval.search_stages import Embed
from harness.students.projection import ProjectionRanker
from harness.students.ranker import COSINE_SCALE, load_ranker, save_ranker, score_lists
from harness.training.projection_stage import TrainProjection
from harness.training.student_settings import RankerSettings
from harness.training.train_settings import TrainSettings
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import Bench, GivenLists, TinyCorpus, topic_lists

pytestmark = pytest.mark.models


@pytest.fixture
def dataset(corpus: TinyCorpus) -> ListDataset:
    return ListDataset.of(topic_lists(), corpus)


def moved(tiny: ModelFiles) -> ProjectionRanker:
    """A ranker whose projections are no identities."""
    ranker = ProjectionRanker.load(tiny.path, COSINE_SCALE)
    generator = torch.Generator().manual_seed(0)
    for projection in ranker.projections.values():
        projection.weight.data.add_(0.05 * torch.randn(projection.weight.shape, generator=generator))
    return ranker


def test_before_training_it_scores_as_its_encoder(tiny: ModelFiles, dataset: ListDataset) -> None:
    ours = score_lists(tiny.path, "projection", dataset, 32, silent)
    encoders = score_lists(tiny.path, "bi-encoder", dataset, 32, silent)
    for left, right in zip(ours, encoders, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4)


def test_sentence_transformers_computes_the_same_scores_from_the_saved_folder(
    tiny: ModelFiles, dataset: ListDataset, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    ranker = moved(tiny)
    wanted = ranker.bind(dataset, 32).score_all(silent)
    save_ranker(ranker, tmp_path, "projection")
    again = load_ranker(tmp_path).bind(dataset, 32).score_all(silent)
    model = SentenceTransformer(str(tmp_path), device="cpu")
    queries, documents = model.encode_query(dataset.queries), model.encode_document(dataset.documents)
    for number, (query, rows) in enumerate(zip(dataset.query_rows, dataset.document_rows, strict=True)):
        np.testing.assert_allclose(again[number], wanted[number], atol=1e-5)
        np.testing.assert_allclose(COSINE_SCALE * documents[rows] @ queries[query], wanted[number], atol=1e-3)


def test_training_scores_are_those_of_scoring(tiny: ModelFiles, dataset: ListDataset) -> None:
    scorer = moved(tiny).bind(dataset, 32)
    batch = dataset.batch(np.arange(len(dataset.lists)), torch.device("cpu"))
    scores, mask = scorer(batch), batch.target.mask
    for number, row in enumerate(scorer.score_all(silent)):
        np.testing.assert_allclose(scores[number][mask[number]].detach().numpy(), row, atol=1e-4)


def trained(tiny: ModelFiles, corpus: TinyCorpus, seed: int = 0) -> TrainProjection:
    return TrainProjection(
        start=tiny,
        architecture="projection",
        lists=GivenLists(lists=topic_lists()),
        corpus=corpus,
        loss=LossSpec.of("listmle"),
        train=TrainSettings(epochs=20, batch=4, learning_rate=3e-3),
        seed=seed,
        max_length=32,
        embeddings=Embed(model=tiny, texts=corpus, max_length=32),
    )


def test_it_learns_the_order_and_leaves_the_encoder_as_it_was(
    tiny: ModelFiles, corpus: TinyCorpus, dataset: ListDataset, bench: Bench
) -> None:
    stage = trained(tiny, corpus)
    ranker = load_ranker(bench.path(stage))
    assert isinstance(ranker, ProjectionRanker)
    start = ProjectionRanker.load(tiny.path, COSINE_SCALE)
    for (name, before), after in zip(
        start.encoder.model.named_parameters(), ranker.encoder.model.parameters(), strict=False
    ):
        assert "pooler" in name or torch.equal(before, after), name
    right = [
        sum(first > second for first, second in pairwise(row)) for row in ranker.bind(dataset, 32).score_all(silent)
    ]
    before = [
        sum(first > second for first, second in pairwise(row)) for row in start.bind(dataset, 32).score_all(silent)
    ]
    assert sum(right) > sum(before)
    assert stage.key != replace(stage, seed=1).key


@pytest.mark.parametrize("idle", [{"frozen_layers": 2}, {"warmup_queries": 10}, {"lora": {"rank": 4}}])
def test_settings_of_layers_are_refused_where_no_layer_learns(idle: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="no layer of a projection learns"):
        RankerSettings.model_validate({"architecture": "projection", **idle})
