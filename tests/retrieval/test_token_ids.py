"""Kept token ids give the same bits, are of one tokenizer, corpus and length, and are made again when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from harness.retrieval import encode as module
from harness.retrieval.encode import encode, load_encoder
from tests.retrieval.conftest import Listed

WORDS = {word: number for number, word in enumerate(["[UNK]", "cat", "dog", "fox", "owl"])}
TEXTS = Listed({"a": "cat dog", "b": "fox fox owl cat", "c": "", "d": "owl", "e": "dog dog dog fox"})


def _checkpoint(folder: Path, seed: int, prompts: dict[str, str] | None = None) -> Path:
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(seed).standard_normal((len(WORDS), 8), dtype=np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], prompts=prompts).save(
        str(folder)
    )
    return folder


@pytest.fixture(autouse=True)
def _chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_TOKENS", 8)


@pytest.fixture
def tokenised(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts were tokenised, call by call."""
    calls: list[int] = []
    real = StaticEmbedding.preprocess

    def noted(self: StaticEmbedding, inputs: list[str], prompt: str | None = None, **rest: object) -> object:
        calls.append(len(inputs))
        return real(self, inputs, prompt, **rest)

    monkeypatch.setattr(StaticEmbedding, "preprocess", noted)
    return calls


def test_two_checkpoints_of_one_tokenizer_tokenise_a_corpus_once(tmp_path: Path, tokenised: list[int]) -> None:
    one, other = (load_encoder(_checkpoint(tmp_path / f"{seed}", seed), 4) for seed in (0, 1))
    plain = [encode(encoder, TEXTS) for encoder in (one, other)]
    tokenised.clear()
    cache = tmp_path / "cache"

    kept = [encode(encoder, TEXTS, cache=cache) for encoder in (one, other, one)]

    assert tokenised == [2, 2, 1]
    for found, expected in zip(kept, [*plain, plain[0]], strict=True):
        assert found.tobytes() == expected.tobytes()


def test_another_length_prompt_or_corpus_has_ids_of_its_own(tmp_path: Path) -> None:
    folder, cache = _checkpoint(tmp_path / "plain", 0), tmp_path / "cache"
    prompted = _checkpoint(tmp_path / "prompted", 0, {"document": "owl ", "query": ""})
    further = Listed({"a": "cat dog", "b": "owl owl"})
    cases = [(load_encoder(folder, 4), TEXTS), (load_encoder(folder, 1), TEXTS), (load_encoder(folder, 4), further)]
    cases.append((load_encoder(prompted, 4), TEXTS))
    expected = [encode(encoder, texts) for encoder, texts in cases]

    for _ in range(2):
        found = [encode(encoder, texts, cache=cache) for encoder, texts in cases]
        assert [one.tobytes() for one in found] == [one.tobytes() for one in expected]


@pytest.mark.parametrize("name", ["ids.bin", "starts.npy", "hashes.json"])
def test_damaged_ids_are_made_again(tmp_path: Path, tokenised: list[int], name: str) -> None:
    encoder, cache = load_encoder(_checkpoint(tmp_path / "model", 0), 4), tmp_path / "cache"
    expected = encode(encoder, TEXTS, cache=cache)
    (file,) = cache.rglob(name)
    file.write_bytes(file.read_bytes()[:-4] + b"\1\0\0\0")
    tokenised.clear()

    assert encode(encoder, TEXTS, cache=cache).tobytes() == expected.tobytes()
    assert sum(tokenised) == len(TEXTS)
    assert encode(encoder, TEXTS, cache=cache).tobytes() == expected.tobytes()
    assert sum(tokenised) == len(TEXTS)


def test_a_cache_that_cannot_be_made_costs_time_only(tmp_path: Path) -> None:
    encoder, cache = load_encoder(_checkpoint(tmp_path / "model", 0), 4), tmp_path / "cache"
    cache.write_text("a file")

    assert encode(encoder, TEXTS, cache=cache).tobytes() == encode(encoder, TEXTS).tobytes()
