"""Late-interaction students score, learn, save and search as sentence-transformers' MultiVectorEncoder does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

from harness.losses.spec import LossSpec
from harness.models import ModelFiles, folder_hash
from harness.progress import silent
from harness.retrieval.run import Run
from harness.retrieval.student_stages import StudentIndex, StudentSearch, StudentStart
from harness.retrieval.trec_order import id_ranks
from harness.students.multi_vector import MultiVectorStudent
from harness.students.types.late_interaction import LateInteraction, LateInteractionSettings
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainTypedStudent
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, Bench, GivenLists, TinyCorpus, read_losses, topic_lists, topic_trainer

pytestmark = pytest.mark.models

EXPANSION = {"strategy": "fixed", "length": 12, "attend": False}
FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "prompts": {"prompts": {"query": "query: ", "document": "passage: "}},
    "lengths": {"transformer": {"query_length": 6, "document_length": 9}},
    "expansion": {"transformer": {"query_expansion": EXPANSION}},
    "skip list": {"skip": ["the", "with", "."]},
    "mean": {"similarity_fn_name": "meanmaxsim"},
}


def save_colbert(tiny: ModelFiles, folder: Path, form: dict[str, Any]) -> Path:
    torch.manual_seed(2)
    reader = Transformer(str(tiny.path), model_kwargs={"use_safetensors": True}, **form.get("transformer", {}))
    head = Dense(128, 32, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    modules = [reader, head, MultiVectorMask(form.get("skip")), Normalize(module_input_name="token_embeddings")]
    options = {name: form[name] for name in ("prompts", "similarity_fn_name") if name in form}
    MultiVectorEncoder(modules=modules, device="cpu", **options).save(str(folder), create_model_card=False)
    return folder


def similarity(folder: Path, corpus: TinyCorpus) -> np.ndarray:
    """(6, 12): what sentence-transformers says of every topic and document."""
    model = MultiVectorEncoder(str(folder), device="cpu")
    documents = model.encode_document(corpus.texts(corpus.ids))
    return model.similarity(model.encode_query(TOPICS), documents).numpy()


def places(corpus: TinyCorpus) -> list[np.ndarray]:
    return [corpus.rows(one.documents) for one in topic_lists()]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_lists_and_searches_score_as_in_sentence_transformers(
    form: dict[str, Any], tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path
) -> None:
    folder = save_colbert(tiny, tmp_path / "colbert", form)
    wanted = similarity(folder, corpus)
    student = MultiVectorStudent.load(folder)
    for row, scores, rows in zip(
        wanted, student.bind(ListDataset.of(topic_lists(), corpus), 64).score_all(silent), places(corpus), strict=True
    ):
        np.testing.assert_allclose(scores, row[rows], atol=1e-4)
    kind, index = LateInteraction(LateInteractionSettings()), tmp_path / "index"
    index.mkdir()
    kind.index(folder, corpus, 64, index, silent)
    found = list(kind.search(folder, index, TOPICS, id_ranks(corpus.ids), 64, 12, silent))
    for row, hits in zip(wanted, found, strict=True):
        assert len(hits.rows) == 12
        np.testing.assert_allclose(hits.scores, row[hits.rows], atol=5e-3)
        assert (np.diff(hits.scores) <= 0).all()
    student.save(tmp_path / "saved")
    np.testing.assert_allclose(similarity(tmp_path / "saved", corpus), wanted, atol=1e-5)


def test_texts_are_cut_to_the_length_of_the_sweep(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    folder = save_colbert(tiny, tmp_path / "long", {})
    short = save_colbert(tiny, tmp_path / "short", {"transformer": {"query_length": 7, "document_length": 7}})
    found = MultiVectorStudent.load(folder).bind(ListDataset.of(topic_lists(), corpus), 7).score_all(silent)
    for row, scores, rows in zip(similarity(short, corpus), found, places(corpus), strict=True):
        np.testing.assert_allclose(scores, row[rows], atol=1e-4)


def test_a_plain_encoder_gives_its_token_vectors_at_unit_length(
    tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path
) -> None:
    student = MultiVectorStudent.load(tiny.path)
    vectors = list(student.encode(TOPICS, "query", 32))
    assert {one.shape[1] for one in vectors} == {128}
    np.testing.assert_allclose(np.concatenate([np.linalg.norm(one, axis=1) for one in vectors]), 1, atol=1e-5)
    student.save(tmp_path / "saved")
    theirs = MultiVectorEncoder(str(tmp_path / "saved"), device="cpu").encode_query(TOPICS, convert_to_numpy=True)
    for one, other in zip(vectors, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_projection_is_orthogonal_and_the_same_each_time(
    tiny: ModelFiles, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = LateInteraction(LateInteractionSettings(dimensions=16))
    start = StudentStart(student=kind, model=tiny)
    first = folder_hash(bench.path(start))
    weight = kind.load(bench.path(start)).model[1].linear.weight.detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(16), atol=1e-5, rtol=0)
    bench.made.clear()
    bench.root = bench.root / "again"
    bench.root.mkdir()
    torch.manual_seed(99)
    assert folder_hash(bench.path(start)) == first
    assert start.key != StudentStart(student=LateInteraction(LateInteractionSettings()), model=tiny).key


@pytest.mark.parametrize(
    "loss",
    ["listmle", "kl", {"name": "infonce", "in_batch": True, "temperature": 4.0}],
    ids=["listmle", "kl", "infonce"],
)
def test_it_learns_by_the_losses_of_other_students(loss: Any, tiny: ModelFiles) -> None:
    student = MultiVectorStudent.load(tiny.path)
    history = topic_trainer(student, loss, topic_lists(scores=True), epochs=5, learning_rate=2e-4).fit()
    assert history.loss[-1] < history.loss[0]


def test_in_batch_scores_are_those_of_all_pairs_also_where_activations_are_made_again(
    tiny: ModelFiles, corpus: TinyCorpus
) -> None:
    student = MultiVectorStudent.load(tiny.path)
    dataset = ListDataset.of(topic_lists(), corpus)
    scorer = student.bind(dataset, 32)
    gradients = []
    for limit in (scorer.micro_tokens, 1):
        scorer.micro_tokens = limit
        batch = dataset.batch(np.arange(3), student.device, in_batch=True)
        scores = scorer(batch)
        size = batch.target.mask.shape[1]
        pool = [int(row) for row in batch.in_batch_documents]
        for number, own in enumerate(batch.documents):
            shared = [(place, pool.index(row)) for place, row in enumerate(own.tolist())]
            for place, at in shared:
                assert scores[number, place].item() == pytest.approx(scores[number, size + at].item(), abs=1e-4)
        student.model.zero_grad()
        scores.square().mean().backward()
        gradients.append(torch.cat([one.grad.flatten() for one in student.model.parameters() if one.grad is not None]))
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


def test_training_and_search_as_stages(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    kind = LateInteraction(LateInteractionSettings())
    start = StudentStart(student=kind, model=tiny)
    trained = TrainTypedStudent(
        start=start,
        student=kind,
        lists=GivenLists(lists=topic_lists()),
        corpus=corpus,
        loss=LossSpec.of("listmle"),
        train=TrainSettings(epochs=8, batch=3, learning_rate=3e-4),
        max_length=32,
    )
    losses = read_losses(bench.path(trained))
    assert losses[-1] < losses[0]

    def run(model: Any) -> Run:
        index = StudentIndex(student=kind, model=model, texts=corpus, max_length=32)
        return Run.read(bench.path(StudentSearch(index=index, queries=Topics(), depth=12)))

    before, after = run(start), run(trained)
    assert all(len(found) == 12 for found in after.scores.values())
    assert before.scores["q0"] != after.scores["q0"]
    assert all({f"d{2 * number}", f"d{2 * number + 1}"} == set(after.top(f"q{number}", 2)) for number in range(6))


class Topics:
    """The topics as queries."""

    identity = "topics"

    @property
    def ids(self) -> list[str]:
        return [f"q{number}" for number in range(len(TOPICS))]

    def __len__(self) -> int:
        return len(TOPICS)

    def slice_texts(self, start: int, stop: int) -> list[str]:
        return TOPICS[start:stop]

    def texts(self, ids: Any) -> list[str]:
        return [TOPICS[int(one[1:])] for one in ids]

    def rows(self, ids: Any) -> np.ndarray:
        return np.array([int(one[1:]) for one in ids])
