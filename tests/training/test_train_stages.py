"""Training of all students: what is saved loads elsewhere, learns, repeats itself, and says when it fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.progress import silent
from harness.students.ranker import load_ranker, read_architecture
from harness.students.retriever import BiEncoder
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRanker, TrainRetriever
from harness.training_lists.copies import CopiesLeftOut
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, Bench, GivenLists, TinyCorpus, read_losses, topic_lists

FAST: dict[str, Any] = {"epochs": 12, "batch": 4, "learning_rate": 1e-3}


def ranker_stage(tiny: ModelFiles, corpus: TinyCorpus, architecture: str, **fields: Any) -> TrainRanker:
    given: dict[str, Any] = {"loss": LossSpec.of("listmle"), "train": TrainSettings(**FAST), "max_length": 32, **fields}
    return TrainRanker(
        start=tiny, lists=GivenLists(lists=topic_lists()), corpus=corpus, architecture=architecture, **given
    )


def retriever_stage(
    start: Any, corpus: TinyCorpus, loss: str = "kl", scores: bool = True, **train: Any
) -> TrainRetriever:
    settings = TrainSettings(**{**FAST, **train})
    lists = GivenLists(lists=topic_lists(scores))
    return TrainRetriever(
        start=start, lists=lists, corpus=corpus, loss=LossSpec.of(loss), train=settings, max_length=32
    )


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
    history = read_losses(folder)
    assert len(history) == 24 and np.mean(history[-4:]) < 0.9 * np.mean(history[:4])
    assert "".join(capfd.readouterr()) == ""
    assert read_architecture(folder) == architecture
    assert first_is_right(folder, corpus) >= 5 / 6
    assert bench.told[-1] == (24, 24, "steps")


@pytest.mark.models
def test_cross_encoder_scores_what_sentence_transformers_predicts(
    tiny: ModelFiles, corpus: TinyCorpus, bench: Bench
) -> None:
    from sentence_transformers import CrossEncoder

    folder = bench.path(ranker_stage(tiny, corpus, "cross-encoder", train=TrainSettings(epochs=1)))
    theirs = CrossEncoder(str(folder), max_length=32).predict(
        [(TOPICS[0], text) for text in corpus.texts(topic_lists()[0].documents)]
    )
    ours = load_ranker(folder).bind(ListDataset.of(topic_lists(), corpus), 32).score_all(silent)[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.models
def test_retriever_scores_are_the_cosines_of_the_saved_model(
    tiny: ModelFiles, corpus: TinyCorpus, bench: Bench
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = bench.path(retriever_stage(tiny, corpus, epochs=1))
    model = SentenceTransformer(str(folder))
    table = ListDataset.of(topic_lists(), corpus)
    theirs = model.similarity(model.encode(TOPICS[:1]), model.encode(corpus.texts(topic_lists()[0].documents)))[0]
    reader = BiEncoder.load(folder).bind(table, 32)
    np.testing.assert_allclose(reader.score_all(silent)[0], theirs, atol=1e-5)
    batch = table.batch(np.array([3, 0]), torch.device("cpu"))
    np.testing.assert_allclose(reader(batch)[1].detach(), theirs, atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize(("loss", "scores"), [("kl", True), ("listmle", False), ("infonce", False)])
def test_static_student_learns(loss: str, scores: bool, static: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    from sentence_transformers import SentenceTransformer

    stage = retriever_stage(static, corpus, loss, scores, learning_rate=None)
    history = read_losses(bench.path(stage))
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
def test_same_seed_same_bits_and_other_seed_other_bits(
    make: Any, tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path
) -> None:
    def weights(name: str, seed: int) -> bytes:
        from dataclasses import replace

        (tmp_path / name).mkdir()
        torch.manual_seed(hash(name) % 1000)
        bench = Bench(tmp_path / name)
        return (bench.path(replace(make(tiny, corpus), seed=seed)) / "model.safetensors").read_bytes()

    assert weights("a", 0) == weights("b", 0)
    assert weights("c", 1) != weights("d", 0)


@pytest.mark.models
def test_too_many_frozen_layers_is_an_error(
    tiny: ModelFiles, static: ModelFiles, corpus: TinyCorpus, bench: Bench
) -> None:
    with pytest.raises(UserError, match="cannot freeze 3 layers of a student that has 2"):
        bench.path(retriever_stage(tiny, corpus, frozen_layers=3))
    with pytest.raises(UserError, match="that has 0"):
        bench.path(retriever_stage(static, corpus, frozen_layers=1))


@pytest.mark.models
def test_bf16_passes_stay_close_to_fp32(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    full = read_losses(
        bench.path(ranker_stage(tiny, corpus, "bi-encoder", train=TrainSettings(epochs=2, precision="fp32")))
    )
    half = read_losses(
        bench.path(ranker_stage(tiny, corpus, "bi-encoder", train=TrainSettings(epochs=2, precision="bf16")))
    )
    assert half != full
    np.testing.assert_allclose(half, full, rtol=0.05)


class CopiesCorpus(TinyCorpus):
    """The same texts, of which a collection says that some are equal."""

    copies = 1


def test_only_collections_with_copies_have_new_keys(tiny: ModelFiles, corpus: TinyCorpus) -> None:
    """Trainings on copies came out otherwise while these were negatives of each other."""
    ours = [ranker_stage(tiny, corpus, "bi-encoder").key, retriever_stage(tiny, corpus).key]
    for of, same in ((CopiesCorpus(), False), (TinyCorpus(), True)):
        stages = ranker_stage(tiny, of, "bi-encoder"), retriever_stage(tiny, of)
        assert [(stage.key == key) for stage, key in zip(stages, ours, strict=True)] == [same, same]


@pytest.mark.models
def test_copies_that_lists_lost_are_counted_beside_the_model(tiny: ModelFiles, bench: Bench) -> None:
    class Doubled(TinyCorpus):
        def texts(self, ids: Sequence[str]) -> list[str]:
            return super().texts([{"d1": "d0"}.get(one, one) for one in ids])

    stage = retriever_stage(tiny, Doubled("doubled"), epochs=1)
    lost = sum({"d0", "d1"} <= set(one.documents) for one in topic_lists())
    assert lost and CopiesLeftOut.read(bench.path(stage)) == CopiesLeftOut(documents=lost)
    assert CopiesLeftOut.read(bench.path(retriever_stage(tiny, TinyCorpus(), epochs=1))) is None
