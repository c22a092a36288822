"""Static students out of an encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import UserError
from harness.models import ModelFiles
from harness.stage import Context
from harness.students import static_encoder
from harness.students.retriever import BiEncoder
from harness.students.static_encoder import StaticStudent, encode_vocabulary, principal_axes, weigh_by_frequency
from tests.students.conftest import Bench


@pytest.mark.models
def test_a_token_alone_has_the_encoders_own_output(tiny: ModelFiles, bench: Bench) -> None:
    import torch

    encoder = BiEncoder.load(tiny.path)
    vectors = encode_vocabulary(encoder, bench)
    for word in ("house", "river"):
        with torch.inference_mode():
            output = encoder.model.encode(word, output_value="token_embeddings")
        np.testing.assert_allclose(vectors[encoder.model.tokenizer.convert_tokens_to_ids(word)], output[1], atol=1e-5)
    assert bench.told[-1][0] == bench.told[-1][1] > 29_000


@pytest.mark.models
def test_a_text_is_the_mean_of_its_tokens_without_special_ones(static: ModelFiles) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(static.path))
    assert model.similarity_fn_name == "cosine"
    np.testing.assert_allclose(model.encode("house river"), model.encode(["house", "river"]).mean(0), atol=1e-6)
    weights = model[0].embedding.weight.detach().numpy()
    tokenizer = model[0].tokenizer
    assert not weights[[tokenizer.token_to_id(name) for name in ("[CLS]", "[PAD]", "[unused5]")]].any()
    assert np.linalg.norm(weights[weights.any(1)], axis=1).mean() == pytest.approx(1, abs=1e-4)
    long = " ".join(["river"] * 3_000 + ["house"])
    assert not np.allclose(model.encode(long), model.encode("river"))


@pytest.mark.models
def test_a_static_model_cannot_be_made_static_again(static: ModelFiles, bench: Bench) -> None:
    with pytest.raises(UserError, match="made from a transformer"):
        bench.path(StaticStudent(encoder=static))


@pytest.mark.models
def test_it_is_made_once_a_machine(
    tiny: ModelFiles, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    passes: list[BiEncoder] = []

    def counted(encoder: BiEncoder, context: Context) -> np.ndarray:
        passes.append(encoder)
        return encode_vocabulary(encoder, context)

    monkeypatch.setattr(static_encoder, "encode_vocabulary", counted)
    weights = []
    for workspace in ("one", "another"):
        (tmp_path / workspace).mkdir()
        StaticStudent(encoder=tiny).run(tmp_path / workspace, bench)
        weights.append((tmp_path / workspace / "model.safetensors").read_bytes())
    assert len(passes) == 1 and weights[0] == weights[1]
    other = StaticStudent(encoder=tiny, sif=None)
    (tmp_path / "other").mkdir()
    other.run(tmp_path / "other", bench)
    assert len(passes) == 2 and (tmp_path / "other" / "model.safetensors").read_bytes() != weights[0]


def test_turning_onto_all_axes_keeps_distances_and_rows_of_zeros() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32) + 3
    vectors[7] = 0
    full = principal_axes(vectors)
    assert full.shape == (50, 8) and not full[7].any()
    np.testing.assert_allclose(np.linalg.norm(full[1] - full[2]), np.linalg.norm(vectors[1] - vectors[2]), rtol=1e-4)
    with pytest.raises(UserError, match="no 9 dimensions in an encoder with 8"):
        principal_axes(vectors, 9)


def test_axes_without_spread_are_dropped() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    assert principal_axes(vectors, whitening=1).shape == (50, 3)
    assert np.abs(principal_axes(vectors, whitening=1)).max() < 10


@pytest.mark.parametrize("whitening", [0, 1])
def test_axes_agree_with_scikit_learn(whitening: int) -> None:
    from sklearn.decomposition import PCA

    vectors = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)
    theirs = PCA(4, svd_solver="full", whiten=bool(whitening)).fit_transform(vectors) * (
        np.sqrt(60 / 59) if whitening else 1
    )
    np.testing.assert_allclose(np.abs(principal_axes(vectors, 4, whitening)), np.abs(theirs), atol=1e-4)


def test_weights_follow_the_rank_in_the_vocabulary() -> None:
    even = weigh_by_frequency(np.ones((1_000, 4), dtype=np.float32), None)
    np.testing.assert_allclose(even, 0.5, rtol=1e-6)
    norms = np.linalg.norm(weigh_by_frequency(np.ones((1_000, 4), dtype=np.float32), 1e-4), axis=1)
    assert (np.diff(norms) > 0).all() and norms.mean() == pytest.approx(1, abs=1e-5)
    shares = 1 / np.arange(2, 1_002)
    shares /= shares.sum()
    assert norms[0] / norms[500] == pytest.approx((1e-4 + shares[500]) / (1e-4 + shares[0]), rel=1e-4)
