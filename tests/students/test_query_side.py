"""Training of the query encoder alone: documents keep their embeddings, and what is saved has two sides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.losses.spec import LossSpec
from harness.method import document_model
from harness.models import ModelFiles, folder_hash
from harness.progress import silent
from harness.students.query_side import QueryEncoder
from harness.students.retriever import BiEncoder
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRetriever
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, Bench, GivenLists, TinyCorpus, topic_lists

pytestmark = pytest.mark.models


def stage(start: Any, corpus: TinyCorpus, loss: Any = "kl", **train: Any) -> TrainRetriever:
    settings = TrainSettings(**{"epochs": 8, "batch": 4, "learning_rate": 1e-3, **train})
    lists = GivenLists(lists=topic_lists(scores=True))
    spec = LossSpec.of(loss)
    return TrainRetriever(
        start=start, lists=lists, corpus=corpus, loss=spec, train=settings, max_length=32, frozen_documents=True
    )


def prompted(tiny: ModelFiles, folder: Path) -> ModelFiles:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny.path), device="cpu", prompts={"query": "query: ", "document": "passage: "})
    model.save(str(folder), create_model_card=False)
    return ModelFiles("prompted", folder)


@pytest.mark.parametrize("kind", ["transformer", "static"])
def test_the_saved_folder_has_a_trained_query_side_and_the_start_s_documents(
    kind: str, tiny: ModelFiles, static: ModelFiles, corpus: TinyCorpus, bench: Bench, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    start = static if kind == "static" else prompted(tiny, tmp_path / "start")
    folder = bench.path(stage(start, corpus, learning_rate=0.01 if kind == "static" else 1e-3))
    history = json.loads((folder / "losses.json").read_text())["loss"]
    assert np.mean(history[-4:]) < 0.9 * np.mean(history[:4])
    before, after = SentenceTransformer(str(start.path)), SentenceTransformer(str(folder))
    texts = corpus.texts(corpus.ids)
    np.testing.assert_allclose(after.encode_document(texts), before.encode_document(texts), atol=1e-6)
    assert not np.allclose(after.encode_query(TOPICS), before.encode_query(TOPICS), atol=1e-2)
    assert after.similarity_fn_name == before.similarity_fn_name and after.prompts == before.prompts


def test_saving_twice_gives_the_same_bits(tiny: ModelFiles, tmp_path: Path) -> None:
    """The bundled encoder has no pooler, so that transformers draw one."""
    student = QueryEncoder.load(tiny.path)
    for folder in (tmp_path / "one", tmp_path / "two"):
        student.save(folder)
    assert folder_hash(tmp_path / "one") == folder_hash(tmp_path / "two")


def test_training_scores_are_those_of_the_saved_model(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    student = QueryEncoder.load(prompted(tiny, tmp_path / "start").path)
    table = ListDataset.of(topic_lists(), corpus)
    reader = student.bind(table, 32)
    with torch.no_grad():
        for weight in student.model.parameters():
            weight.mul_(1.05)
    student.save(tmp_path / "saved")
    model = SentenceTransformer(str(tmp_path / "saved"))
    documents = model.encode_document(corpus.texts(topic_lists()[2].documents))
    theirs = model.similarity(model.encode_query(TOPICS[2:3]), documents)[0]
    np.testing.assert_allclose(reader.score_all(silent)[2], theirs, atol=1e-5)
    batch = reader(table.batch(np.array([0, 2]), torch.device("cpu")))
    np.testing.assert_allclose(batch[1].detach(), theirs, atol=1e-5)


def test_gradients_flow_through_queries_only(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    table = ListDataset.of(topic_lists(), corpus)
    both, side = (kind.load(tiny.path).bind(table, 32) for kind in (BiEncoder, QueryEncoder))
    batch = table.batch(np.array([0, 1]), torch.device("cpu"), in_batch=True)
    for reader in (both, side):
        reader(batch).square().sum().backward()
    grads = [
        torch.cat([w.grad.flatten() for w in r.student.model.parameters() if w.grad is not None]) for r in (both, side)
    ]
    assert not torch.allclose(*grads) and grads[1].abs().sum() > 0
    torch.testing.assert_close(both(batch), side(batch))
    assert side.list_tokens.tolist() == side.queries.lengths[table.query_rows].tolist()


def test_dropout_stays_as_the_training_set_it(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    student = QueryEncoder.load(tiny.path)
    student.model.train()
    student.bind(ListDataset.of(topic_lists(), corpus), 32)
    assert student.model.training


def test_the_documents_of_a_query_side_stage_are_its_start_s(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    frozen = stage(tiny, corpus)
    whole = replace(frozen, frozen_documents=False)
    assert document_model(frozen) is tiny and document_model(tiny) is tiny
    assert document_model(whole) is whole and document_model(replace(frozen, start=whole)) is whole
    assert frozen.key != whole.key


@pytest.mark.parametrize("start", ["tiny", "static"])
def test_search_reads_the_start_s_index(
    start: str, corpus: TinyCorpus, bench: Bench, request: pytest.FixtureRequest
) -> None:
    """The stages of search take the two-sided folder for queries and the start model for documents."""
    from sentence_transformers import SentenceTransformer

    from harness.retrieval.run import Run
    from harness.retrieval.search_stages import DenseSearch, Embed

    model = stage(request.getfixturevalue(start), corpus)
    index = Embed(model=document_model(model), texts=corpus, max_length=32)
    found = Run.read(
        bench.path(DenseSearch(model=model, corpus=index, queries=Queries(), ids=corpus, depth=12)) / "run.trec.gz"
    )
    both = SentenceTransformer(str(bench.path(model)))
    scores = both.similarity(both.encode_query(TOPICS), both.encode_document(corpus.texts(corpus.ids))).numpy()
    for row in range(len(TOPICS)):
        order = found.top(f"q{row}")
        np.testing.assert_allclose(
            [scores[row, int(document[1:])] for document in order], np.sort(scores[row])[::-1], atol=2e-3
        )


class Queries(TinyCorpus):
    """The topics as queries."""

    @property
    def ids(self) -> list[str]:
        return [f"q{number}" for number in range(len(TOPICS))]

    def __len__(self) -> int:
        return len(TOPICS)

    def slice_texts(self, start: int, stop: int) -> list[str]:
        return TOPICS[start:stop]
