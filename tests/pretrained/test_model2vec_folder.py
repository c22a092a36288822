"""Folders of model2vec, as its format says: means of rows by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

from harness.models import resolve_model
from harness.retrieval.encode import encode, load_encoder
from harness.students.retriever import BiEncoder
from tests.pretrained.conftest import tokenizer
from tests.students.conftest import topic_trainer

pytestmark = pytest.mark.models
TEXTS = ["a swept wing", "heat"]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("quantised", [False, True])
def test_texts_are_means_of_their_rows(normalize: bool, quantised: bool, tmp_path: Path) -> None:
    words, generator = tokenizer().backend_tokenizer, np.random.default_rng(0)
    size = words.get_vocab_size()
    rows = generator.normal(size=(100 if quantised else size, 8)).astype(np.float16)
    mapping, weights = generator.integers(0, 100, size), generator.random(size)
    save_file(
        {"embeddings": rows} | ({"mapping": mapping, "weights": weights} if quantised else {}),
        tmp_path / "model.safetensors",
    )
    words.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": normalize})
    )
    table = rows[mapping].astype(np.float32) * weights[:, None] if quantised else rows.astype(np.float32)
    expected = np.stack([table[words.encode(text, add_special_tokens=False).ids].mean(0) for text in TEXTS])
    if normalize:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    folder = resolve_model(str(tmp_path)).path
    np.testing.assert_allclose(encode(load_encoder(folder, 32), TEXTS), expected, atol=1e-5)
    student = BiEncoder.load(folder)
    assert student.static
    history = topic_trainer(student, epochs=3).fit()
    assert history.loss[-1] < history.loss[0]
    student.save(tmp_path / "saved")
    assert SentenceTransformer(str(tmp_path / "saved")).encode(TEXTS).shape == (2, 8)
