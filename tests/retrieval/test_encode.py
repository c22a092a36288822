"""Encoding gives what sentence-transformers gives, in any chunks, in the order of the texts."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer

from harness.errors import UserError
from harness.models import ModelFiles
from harness.retrieval import encode as module
from harness.retrieval.encode import encode, load_encoder
from tests.retrieval.conftest import Listed

pytestmark = pytest.mark.models

WORDS = [
    "cat",
    "dog",
    "neural",
    "network",
    "retrieval",
    "of",
    "dense",
    "text",
    "quick",
    "fox",
    "jumps",
    "over",
    "embeddings",
]
TEXTS = [" ".join(random.Random(seed).choices(WORDS, k=1 + seed * 7 % 40)) for seed in range(30)] + ["", "é ü", "word"]


@pytest.fixture(scope="module")
def checkpoint(tiny: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny BERT saved with prompts for queries and documents, which must be left out of the mean."""
    folder = tmp_path_factory.mktemp("checkpoint")
    transformer = Transformer(str(tiny.path))
    pooling = Pooling(transformer.get_embedding_dimension(), "mean", include_prompt=False)
    prompts = {"query": "search: ", "document": "text: "}
    SentenceTransformer(modules=[transformer, pooling], prompts=prompts, similarity_fn_name="dot").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def static(tiny: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer

    folder = tmp_path_factory.mktemp("static")
    tokenizer = Tokenizer.from_file(str(tiny.path / "tokenizer.json"))
    weights = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), 16), dtype=np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(str(folder))
    return folder


def test_it_equals_sentence_transformers(tiny: ModelFiles) -> None:
    expected = SentenceTransformer(str(tiny.path), device="cpu").encode(TEXTS)
    given = encode(load_encoder(tiny.path, 512), TEXTS)
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, expected, atol=2e-5)


@pytest.mark.parametrize("task", ["query", "document"])
def test_prompts_are_those_of_the_checkpoint(checkpoint: Path, task: str) -> None:
    theirs = SentenceTransformer(str(checkpoint), device="cpu")
    expected = theirs.encode_query(TEXTS) if task == "query" else theirs.encode_document(TEXTS)
    given = encode(load_encoder(checkpoint, 512), TEXTS, task)  # type: ignore[arg-type]
    np.testing.assert_allclose(given, expected, atol=2e-5)
    assert np.abs(given - theirs.encode(TEXTS)).max() > 1e-3


def test_the_tokens_that_are_read_are_limited(tiny: ModelFiles) -> None:
    long, cut = encode(load_encoder(tiny.path, 6), ["cat dog cat dog fox fox fox", "cat dog cat dog"])
    np.testing.assert_allclose(long, cut, atol=1e-5)
    assert load_encoder(tiny.path, 100_000).max_length <= 512


def test_static_embeddings(static: Path) -> None:
    expected = SentenceTransformer(str(static), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(encode(load_encoder(static, 512, "bf16"), TEXTS), expected, atol=1e-6)
    long, cut = encode(load_encoder(static, 2), ["cat dog fox", "cat dog"])
    np.testing.assert_array_equal(long, cut)


@pytest.mark.parametrize("name", ["checkpoint", "static"])
def test_chunks_do_not_matter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    encoder = load_encoder(request.getfixturevalue(name), 64)
    whole = encode(encoder, TEXTS)
    monkeypatch.setattr(module, "_CHUNK_TOKENS", 64 * 15)
    monkeypatch.setattr(module, "_BATCH_TOKENS", {"cpu": 100, "cuda": 100})
    np.testing.assert_allclose(encode(encoder, TEXTS), whole, atol=2e-5)


def test_batches_hold_the_budget_and_every_text_once(tiny: ModelFiles) -> None:
    features = load_encoder(tiny.path, 512).model.preprocess(TEXTS)
    batches = list(module._batches(features, len(TEXTS), 200))
    assert sorted(np.concatenate([places for places, _ in batches]).tolist()) == list(range(len(TEXTS)))
    assert all(batch["input_ids"].numel() <= 200 or len(places) == 1 for places, batch in batches)
    assert all(batch["attention_mask"].sum(1).max() == batch["attention_mask"].shape[1] for _, batch in batches)


def test_left_padded_tokens_are_cut_on_the_left(tiny: ModelFiles) -> None:
    model = load_encoder(tiny.path, 512).model
    model.tokenizer.padding_side = "left"
    features = model.preprocess(["cat", "cat dog fox fox"])
    rows = [batch["input_ids"][0].tolist() for _, batch in module._batches(features, 2, 6)]
    assert rows == [model.tokenizer("cat dog fox fox")["input_ids"], model.tokenizer("cat")["input_ids"]]


def test_equal_input_gives_equal_bits_on_disk(tiny: ModelFiles, tmp_path: Path) -> None:
    texts = Listed({str(row): text for row, text in enumerate(TEXTS)})
    for name in ("one.npy", "two.npy"):
        encode(load_encoder(tiny.path, 64), texts, out=tmp_path / name)
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()
    stored = np.load(tmp_path / "one.npy", mmap_mode="r")
    assert stored.dtype == np.float16
    np.testing.assert_array_equal(stored, encode(load_encoder(tiny.path, 64), TEXTS).astype(np.float16))


def test_several_devices_give_the_bits_of_one(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._BATCH_TOKENS, "cpu", 60)
    alone = encode(load_encoder(checkpoint, 64), TEXTS)
    monkeypatch.setenv("HARNESS_DEVICES", "3")
    several = load_encoder(checkpoint, 64)
    assert len(several.copies) == 2
    assert np.array_equal(encode(several, TEXTS), alone)


def test_numbers_too_large_to_be_kept_are_an_error(checkpoint: Path, tmp_path: Path) -> None:
    encoder = load_encoder(checkpoint, 64, "fp32")
    encoder.model.register_forward_hook(
        lambda _, given, out: out | {"sentence_embedding": out["sentence_embedding"] * 1e6}
    )
    with pytest.raises(UserError, match="no finite numbers in float16"):
        encode(encoder, TEXTS, out=tmp_path / "rows.npy")


def test_bfloat16_is_near(tiny: ModelFiles) -> None:
    exact, near = (encode(load_encoder(tiny.path, 64, precision), TEXTS) for precision in ("fp32", "bf16"))
    cosine = (exact * near).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(near, axis=1)
    assert cosine.min() > 0.999
    assert np.abs(exact - near).max() > 0


def test_truncated_dimensions_are_those_of_the_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    other = shutil.copytree(checkpoint, tmp_path / "other")
    config = json.loads((other / "config_sentence_transformers.json").read_text())
    (other / "config_sentence_transformers.json").write_text(json.dumps(config | {"truncate_dim": 32}))
    expected = SentenceTransformer(str(other), device="cpu").encode_document(TEXTS)
    assert expected.shape[1] == 32
    np.testing.assert_allclose(encode(load_encoder(other, 512), TEXTS), expected, atol=2e-5)


def test_similarity_is_what_the_checkpoint_says(tiny: ModelFiles, checkpoint: Path, tmp_path: Path) -> None:
    from harness.models import resolve_model

    assert load_encoder(tiny.path, 64).similarity == "cosine"
    assert load_encoder(checkpoint, 64).similarity == "dot"
    assert load_encoder(resolve_model("bundled:minilm-l6").path, 64).similarity == "dot", "it ends in a normalisation"
    other = shutil.copytree(checkpoint, tmp_path / "other")
    config = json.loads((other / "config_sentence_transformers.json").read_text())
    (other / "config_sentence_transformers.json").write_text(json.dumps(config | {"similarity_fn_name": "manhattan"}))
    with pytest.raises(UserError, match="compares by 'manhattan'"):
        _ = load_encoder(other, 64).similarity


def test_a_folder_that_does_not_load_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match="does not load"):
        load_encoder(tmp_path, 64)


def test_a_diverged_model_is_an_error(tiny: ModelFiles) -> None:
    encoder = load_encoder(tiny.path, 64)
    for weight in encoder.model.parameters():
        weight.data.fill_(float("nan"))
    with pytest.raises(UserError, match="no finite numbers"):
        encode(encoder, ["cat"])


def test_no_texts(tiny: ModelFiles) -> None:
    assert encode(load_encoder(tiny.path, 64), []).shape == (0, 128)


def test_progress_counts_texts(tiny: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_TOKENS", 64 * 20)
    told: list[tuple[int, int, str]] = []
    encode(load_encoder(tiny.path, 64), TEXTS, progress=lambda *what: told.append(what))
    assert told == sorted(told)
    assert told[-1] == (len(TEXTS), len(TEXTS), "texts")
