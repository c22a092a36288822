"""Embedding distillation: its value against numpy, and a training that brings a student near to its encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.errors import UserError
from harness.losses.loss import Loss, Target
from harness.losses.spec import LossSpec
from harness.models import ModelFiles, resolve_model
from harness.plugin_checks.run_checks import check
from harness.plugins import plugins
from harness.retrieval.encode import encode, load_encoder
from harness.students.multi_vector import MultiVectorStudent
from harness.training.teacher_embeddings import TrainTowardsEncoder, turn
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import TrainRetriever
from tests.students.conftest import TOPICS, Bench, GivenLists, TinyCorpus, topic_lists, topic_trainer

CHOICE = {"name": "embed-distill", "encoder": "bundled:bert-tiny"}


def test_the_value_is_the_mean_squared_distance_of_a_list() -> None:
    generator = np.random.default_rng(0)
    student, teacher = generator.normal(size=(2, 3, 5, 4)).astype(np.float32)
    sizes = np.array([4, 2, 0])
    mask = np.arange(4) < sizes[:, None]
    student[~np.concatenate([np.ones((3, 1), bool), mask], 1)] = np.nan
    gaps = ((student - teacher) ** 2).sum(-1)
    lists = [0.5 * gaps[n, 0] + 2 * gaps[n, 1 : 1 + size].mean() if size else 0 for n, size in enumerate(sizes)]
    loss = LossSpec.of(CHOICE | {"queries": 0.5, "documents": 2}).loss()
    wide = torch.from_numpy(student).requires_grad_()
    target = Target(
        torch.from_numpy(mask),
        torch.from_numpy(sizes),
        student_embeddings=wide,
        teacher_embeddings=torch.from_numpy(teacher),
    )
    value = loss(torch.zeros(3, 4), target)
    assert value.item() == pytest.approx(np.mean(lists), rel=1e-5)
    value.backward()
    assert wide.grad is not None and wide.grad.isfinite().all()


def test_it_keeps_the_contracts_of_losses() -> None:
    report = check("loss", plugins(Loss)["embed-distill"], {"encoder": "any"})
    assert report.ok, str(report)


@pytest.mark.parametrize(("wide", "narrow"), [(6, 6), (9, 6), (4, 6)])
def test_a_turn_keeps_inner_products_and_finds_the_nearest_rotation(wide: int, narrow: int) -> None:
    generator = np.random.default_rng(1)
    teacher = generator.normal(size=(40, min(wide, narrow))) @ generator.normal(size=(min(wide, narrow), wide))
    rotation = np.linalg.qr(generator.normal(size=(narrow, narrow)))[0]
    turned = turn(teacher, generator.normal(size=(40, narrow)))
    assert turned.shape == (40, narrow)
    np.testing.assert_allclose(turned @ turned.T, teacher @ teacher.T, atol=1e-3)
    again = turn(teacher, turned @ rotation)
    np.testing.assert_allclose(again, turned @ rotation, atol=1e-3)


def stage(start: ModelFiles, encoder: ModelFiles, corpus: TinyCorpus, **settings: object) -> TrainTowardsEncoder:
    return TrainTowardsEncoder(
        start=start,
        encoder=encoder,
        lists=GivenLists(lists=topic_lists()),
        corpus=corpus,
        loss=LossSpec.of(CHOICE | {"encoder": encoder.name}),
        train=TrainSettings(**settings),  # type: ignore[arg-type]
        max_length=32,
    )


@pytest.mark.models
def test_the_student_comes_nearer_to_its_encoder(static: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    encoder = resolve_model("bundled:minilm-l6")
    trained = bench.path(stage(static, encoder, corpus, epochs=30, batch=3))
    texts = corpus.texts(corpus.ids)

    def cosines(folder: Path) -> np.ndarray:
        model = load_encoder(folder, 32)
        rows = np.concatenate([encode(model, TOPICS, "query"), encode(model, texts)])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows @ rows.T

    wanted = cosines(encoder.path)
    before, after = (np.abs(cosines(folder) - wanted).mean() for folder in (static.path, trained))
    assert after < 0.5 * before


@pytest.mark.models
def test_the_encoder_counts_by_its_content(
    static: ModelFiles,
    tiny: ModelFiles,
    corpus: TinyCorpus,
    tmp_path: Path,
) -> None:
    shutil.copytree(tiny.path, tmp_path / "copy")
    copy, other = resolve_model(str(tmp_path / "copy")), resolve_model("bundled:minilm-l6")
    keys = [stage(static, encoder, corpus).key for encoder in (tiny, copy, other)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.models
def test_what_has_no_embeddings_says_so(tiny: ModelFiles, corpus: TinyCorpus, bench: Bench) -> None:
    plain = TrainRetriever(start=tiny, lists=GivenLists(lists=topic_lists()), corpus=corpus, loss=LossSpec.of(CHOICE))
    with pytest.raises(UserError, match="needs embeddings, which these training lists do not carry"):
        bench.path(plain)
    with pytest.raises(UserError, match="has not one a text"):
        topic_trainer(MultiVectorStudent.load(tiny.path), CHOICE).fit()


def test_a_sum_has_one_encoder() -> None:
    assert LossSpec.of({"name": "sum", "of": ["kl", CHOICE]}).encoder == "bundled:bert-tiny"
    assert LossSpec.of("kl").encoder is None
    other = CHOICE | {"encoder": "bundled:minilm-l6"}
    with pytest.raises(UserError, match="name 2 encoders"):
        _ = LossSpec.of({"name": "sum", "of": [CHOICE, other]}).encoder
