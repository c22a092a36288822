"""Sparse students score, learn, save and search as sentence-transformers' SparseEncoder does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling

from harness.plugin_checks.tiny_models import tiny_masked
from harness.plugins import Settings
from harness.progress import silent
from harness.retrieval.trec_order import id_ranks
from harness.students.sparse_student import SparseStudent
from harness.students.types.splade import Splade
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, TinyCorpus, topic_lists, topic_trainer

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_masked(tmp_path_factory.mktemp("models") / "masked", 0)


FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "maxima": ({}, {}),
    "sums": ({"pooling_strategy": "sum", "activation_function": "log1p_relu"}, {}),
    "cosine": ({}, {"similarity_fn_name": "cosine"}),
    "prompts": ({}, {"prompts": {"query": "query: ", "document": "passage: "}}),
    "few terms": ({}, {"max_active_dims": 20}),
}


def similarity(folder: Path, corpus: TinyCorpus) -> np.ndarray:
    model = SparseEncoder(str(folder), device="cpu")
    queries, documents = model.encode_query(TOPICS), model.encode_document(corpus.texts(corpus.ids))
    return model.similarity(queries, documents).numpy()


@pytest.mark.parametrize(("pooling", "options"), FORMS.values(), ids=FORMS)
def test_lists_and_searches_score_as_in_sentence_transformers(
    pooling: dict[str, Any], options: dict[str, Any], masked: Path, corpus: TinyCorpus, tmp_path: Path
) -> None:
    modules = [Transformer(str(masked), transformer_task="fill-mask"), SpladePooling(**pooling)]
    folder = tmp_path / "splade"
    SparseEncoder(modules=modules, device="cpu", **options).save(str(folder), create_model_card=False)
    wanted = similarity(folder, corpus)
    assert np.ptp(wanted) > 0.01
    student = SparseStudent.load(folder)
    found = student.bind(ListDataset.of(topic_lists(), corpus), 64).score_all(silent)
    for row, scores, one in zip(wanted, found, topic_lists(), strict=True):
        np.testing.assert_allclose(scores, row[corpus.rows(one.documents)], rtol=1e-4, atol=1e-5)
    kind, index = Splade(Settings()), tmp_path / "index"
    index.mkdir()
    kind.index(folder, corpus, 64, index, silent)
    for row, hits in zip(wanted, kind.search(folder, index, TOPICS, id_ranks(corpus.ids), 64, 5, silent), strict=True):
        assert len(hits.rows) == min(5, int((row > 0).sum()))
        np.testing.assert_allclose(hits.scores, np.sort(row)[::-1][: len(hits.rows)], rtol=1e-4, atol=1e-5)
    student.save(tmp_path / "saved")
    np.testing.assert_allclose(similarity(tmp_path / "saved", corpus), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", ["listmle", "kl"])
def test_a_masked_language_model_learns_and_is_saved_as_a_sparse_encoder(
    loss: str, masked: Path, corpus: TinyCorpus, tmp_path: Path
) -> None:
    student = SparseStudent.load(masked)
    history = topic_trainer(student, loss, topic_lists(scores=True), epochs=6, learning_rate=1e-3).fit()
    assert history.loss[-1] < history.loss[0]
    student.save(tmp_path)
    scores = student.bind(ListDataset.of(topic_lists(), corpus), 64).score_all(silent)
    wanted = similarity(tmp_path, corpus)
    np.testing.assert_allclose(scores[0], wanted[0][corpus.rows(topic_lists()[0].documents)], rtol=1e-4, atol=1e-4)
