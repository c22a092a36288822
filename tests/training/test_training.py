"""Training of all students: what is saved loads elsewhere, learns, repeats itself, and says when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.device import deterministic
from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.progress import silent
from harness.students.ranker import CrossRanker, load_ranker, saved_architecture
from harness.students.retriever import BiEncoder
from harness.training.ranker_warmup import Bodies, WarmUpRanker, with_bodies
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRanker, TrainRetriever
from harness.training.training_loop import fit
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import TrainingList, read_lists
from tests.students.conftest import TOPICS, Bench, GivenLists, TinyCorpus, topic_lists

FAST: dict[str, Any] = {"epochs": 12, "batch": 4, "learning_rate": 1e-3}


def ranker_stage(tiny: ModelFiles, corpus: TinyCorpus, architecture: str, **fields: Any) -> TrainRanker:
    given: dict[str, Any] = {"loss": LossSpec.of("listmle"), "train": TrainSettings(**FAST), "max_length": 32, **fields}
    return TrainRanker(start=tiny, lists=GivenLists(lists=topic_lists()), corpus=corpus, architecture=architecture, **given)


def retriever_stage(start: Any, corpus: TinyCorpus, loss: str = "kl", scores: bool = True, **train: Any) -> TrainRetriever:
    settings = TrainSettings(**{**FAST, **train})
    lists = GivenLists(lists=topic_lists(scores))
    return TrainRetriever(start=start, lists=lists, corpus=corpus, loss=LossSpec.of(loss), train=settings, max_length=32)


def losses(folder: Path) -> list[float]:
    return list(json.loads((folder / "losses.json").read_text())["loss"])


def first_is_right(folder: Path, corpus: TinyCorpus) -> float:
    table = ListDataset.of(topic_lists(), corpus)
    scores = load_ranker(folder).bind(table, 32).score_all(silent)
    return float(np.mean([row.argmax() < 2 for row in scores]))


@pytest.mark.models
@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_ranker_learns_its_lists_and_is_known_again(
    architecture: str, tiny: ModelFiles, corpus: TinyCorpus, bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = bench.path(ranker_stage(tiny, corpus, architecture))
    history = losses(folder)
    assert len(history) == 24 and np.mean(history[-4:]) < 0.9 * np.mean(history[:4])
    assert "".join(capfd.readouterr()) == ""
    assert saved_architecture(folder) == architecture
    assert first_is_right(folder, corpus) >= 5 / 6
    assert bench.told[-1] == (24, 24, "steps")


@pytest.mark.models
def test_cross_encoder_scores_what_sentence_transformers_predicts(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    from sentence_transformers import CrossEncoder

    folder = bench.path(ranker_stage(tiny, corpus, "cross-encoder", train=TrainSettings(epochs=1)))
    theirs = CrossEncoder(str(folder), max_length=32).predict([(TOPICS[0], text) for text in corpus.texts(topic_lists()[0].documents)])
    ours = load_ranker(folder).bind(ListDataset.of(topic_lists(), corpus), 32).score_all(silent)[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.models
def test_retriever_scores_are_the_cosines_of_the_saved_model(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    from sentence_transformers import SentenceTransformer

    folder = bench.path(retriever_stage(tiny, corpus, epochs=1))
    model = SentenceTransformer(str(folder))
    table = ListDataset.of(topic_lists(), corpus)
    theirs = model.similarity(model.encode(TOPICS[:1]), model.encode(corpus.texts(topic_lists()[0].documents)))[0]
    reader = BiEncoder.load(folder).over(table, 32)
    np.testing.assert_allclose(reader.score_all(silent)[0], theirs, atol=1e-5)
    batch = table.batch(np.array([3, 0]), torch.device("cpu"))
    np.testing.assert_allclose(reader(batch)[1].detach(), theirs, atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize(("loss", "scores"), [("kl", True), ("listmle", False), ("infonce", False)])
def test_static_student_learns(loss: str, scores: bool, static: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    from sentence_transformers import SentenceTransformer

    stage = retriever_stage(static, corpus, loss, scores, learning_rate=None)
    history = losses(bench.path(stage))
    assert np.mean(history[-4:]) < 0.8 * np.mean(history[:4])
    model = SentenceTransformer(str(bench.path(stage)))
    assert model[0].embedding.weight.dtype == torch.float32
    assert not np.allclose(model.encode(TOPICS), SentenceTransformer(str(static.path)).encode(TOPICS))


@pytest.mark.models
@pytest.mark.parametrize(
    "make",
    [
        lambda tiny, corpus: ranker_stage(tiny, corpus, "cross-encoder", train=TrainSettings(epochs=2)),
        lambda tiny, corpus: retriever_stage(tiny, corpus, dropout=True, epochs=2),
    ],
)
def test_same_seed_same_bits_and_other_seed_other_bits(make: Any, tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> bytes:
        from dataclasses import replace

        (tmp_path / name).mkdir()
        torch.manual_seed(hash(name) % 1000)
        bench = Bench(tmp_path / name)
        return (bench.path(replace(make(tiny, corpus), seed=seed)) / "model.safetensors").read_bytes()

    assert weights("a", 0) == weights("b", 0)
    assert weights("c", 1) != weights("d", 0)


def fitted(student: BiEncoder, lists: tuple[TrainingList, ...] = topic_lists(), loss: str = "listmle", **settings: Any) -> BiEncoder:
    table = ListDataset.of(lists, TinyCorpus())
    fit(student, table, LossSpec.of(loss).loss(0.05), TrainSettings(epochs=1, **settings), 32, 0, silent)
    return student


@pytest.mark.models
def test_cutting_a_batch_into_passes_changes_nothing(tiny: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def weights(micro: int) -> torch.Tensor:
        monkeypatch.setattr("harness.students.retriever.MICRO_TOKENS", micro)
        with deterministic(0):
            student = fitted(BiEncoder.load(tiny.path), batch=6)
        return torch.cat([weight.detach().flatten() for weight in student.model.parameters()])

    torch.testing.assert_close(weights(1), weights(100_000), atol=2e-6, rtol=1e-4)


@pytest.mark.models
def test_frozen_layers_stay_and_the_rest_moves(tiny: ModelFiles) -> None:
    student = BiEncoder.load(tiny.path)
    before = {name: weight.detach().clone() for name, weight in student.model.named_parameters()}
    fitted(student, frozen_layers=1)
    moved = {name for name, weight in student.model.named_parameters() if not torch.equal(weight, before[name])}
    assert moved and all("layer.1." in name for name in moved)


@pytest.mark.models
def test_too_many_frozen_layers_is_an_error(tiny: ModelFiles, static: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    with pytest.raises(UserError, match="cannot freeze 3 layers of a student that has 2"):
        bench.path(retriever_stage(tiny, corpus, frozen_layers=3))
    with pytest.raises(UserError, match="that has 0"):
        bench.path(retriever_stage(static, corpus, frozen_layers=1))


@pytest.mark.models
def test_a_loss_that_is_no_number_names_its_step(static: ModelFiles) -> None:
    lists = (TrainingList("q", TOPICS[0], ("d0", "d3"), 2, (float("nan"), 0.0)),)
    with pytest.raises(UserError, match="the loss is nan at step 1 of 1"):
        fitted(BiEncoder.load(static.path), lists, "kl")


@pytest.mark.models
def test_an_encoder_is_no_ranker_until_it_is_trained(tiny: ModelFiles) -> None:
    with pytest.raises(UserError, match="no trained ranker"):
        load_ranker(tiny.path)


@pytest.mark.models
def test_bf16_passes_stay_close_to_fp32(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    full = losses(bench.path(ranker_stage(tiny, corpus, "bi-encoder", train=TrainSettings(epochs=2, precision="fp32"))))
    half = losses(bench.path(ranker_stage(tiny, corpus, "bi-encoder", train=TrainSettings(epochs=2, precision="bf16"))))
    assert half != full
    np.testing.assert_allclose(half, full, rtol=0.05)


@pytest.mark.models
def test_warm_up_learns_from_titles_and_never_shows_one(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    lists = tuple(
        TrainingList(one.query, one.text, (one.documents[0], *one.documents[2:]), 1, None, one.documents[:1]) for one in topic_lists()
    )
    stage = WarmUpRanker(
        start=tiny, lists=GivenLists(lists=lists), corpus=corpus, architecture="cross-encoder", train=TrainSettings(**FAST), max_length=32
    )
    folder = bench.path(stage)
    assert np.mean(losses(folder)[-4:]) < 0.8 * np.mean(losses(folder)[:4])
    assert len(read_lists(folder)) == 6
    assert isinstance(load_ranker(folder), CrossRanker)
    assert all(title not in text for title, text in zip(TOPICS, Bodies(corpus).texts([f"d{2 * n}" for n in range(6)]), strict=True))


class Hollow(TinyCorpus):
    """Documents 0 and 3 are nothing but a title."""

    def documents(self, rows: np.ndarray | None = None) -> Any:
        for document in super().documents(rows):
            yield document._replace(text=" ") if document.id in ("d0", "d3") else document


def test_warm_up_drops_documents_without_a_body() -> None:
    lists = [
        TrainingList("a", "t", ("d0", "d1"), 1, None, ("d0",)),
        TrainingList("b", "t", ("d2", "d3", "d4"), 1, None, ("d2",)),
        TrainingList("c", "t", ("d2", "d3"), 1, None, ("d2",)),
    ]
    built = with_bodies(lists, Bodies(Hollow()))
    assert [one.documents for one in built.lists] == [("d2", "d4")]
    assert built.dropped == {"left without a body": 2}


@pytest.mark.models
def test_scoring_in_bf16_leaves_the_weights_alone(tiny: ModelFiles, corpus: TinyCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    student = BiEncoder.load(tiny.path)
    before = {name: weight.clone() for name, weight in student.model.state_dict().items()}
    reader = student.over(ListDataset.of(topic_lists(), corpus), 32)
    full = np.concatenate(reader.score_all(silent))
    monkeypatch.setattr("harness.device.best_dtype", lambda: "bf16")
    half = np.concatenate(reader.score_all(silent))
    assert (half != full).any()
    np.testing.assert_allclose(half, full, atol=0.02)
    assert all(torch.equal(weight, before[name]) for name, weight in student.model.state_dict().items())
