"""Students as they come: prompts, pooling, normalisation and similarity of the checkpoint's own config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.device import deterministic
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.progress import silent
from harness.students.retriever import BiEncoder
from harness.training.train_settings import TrainSettings
from harness.training.trainer import Trainer
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, TinyCorpus, topic_lists

pytestmark = pytest.mark.models


def save_encoder(
    tiny: ModelFiles, folder: Path, pooling: dict[str, Any], dense: int = 0, unit: bool = False, **config: Any
) -> Path:
    """A sentence-transformers folder with this pooling, a projection and normalisation where wanted, and this
    config."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    torch.manual_seed(0)
    transformer = Transformer(str(tiny.path))
    modules = [
        transformer,
        Pooling(128, **pooling),
        *([Dense(128, dense)] if dense else []),
        *([Normalize()] if unit else []),
    ]
    SentenceTransformer(modules=modules, device="cpu", **config).save(str(folder), create_model_card=False)
    return folder


ENCODERS: dict[str, dict[str, Any]] = {
    "cls, unit vectors, prompts": {
        "pooling": {"pooling_mode": "cls"},
        "unit": True,
        "prompts": {"query": "query: ", "document": "passage: "},
    },
    "dot product": {"pooling": {"pooling_mode": "mean"}, "similarity_fn_name": "dot"},
    "prompt out of the mean": {
        "pooling": {"pooling_mode": "mean", "include_prompt": False},
        "prompts": {"query": "find a document for the query: ", "document": "a document: "},
    },
    "projection, one default prompt": {
        "pooling": {"pooling_mode": "max"},
        "dense": 16,
        "prompts": {"any": "text: "},
        "default_prompt_name": "any",
    },
}


@pytest.mark.parametrize("config", ENCODERS.values(), ids=ENCODERS)
def test_scores_are_the_model_s_own_before_and_after_training(
    config: dict[str, Any], tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = save_encoder(tiny, tmp_path / "start", **config)
    table = ListDataset.of(topic_lists(scores=True), corpus)
    student = BiEncoder.load(folder)
    for place in (folder, tmp_path / "trained"):
        model = SentenceTransformer(str(place)) if place.exists() else None
        if model is None:
            with deterministic(0):
                Trainer(
                    student, table, LossSpec.of("kl").loss(student.temperature), TrainSettings(epochs=1), max_length=64
                ).fit()
            student.save(place)
            model = SentenceTransformer(str(place))
        assert model.prompts.items() >= config.get("prompts", {}).items()
        assert model.similarity_fn_name == config.get("similarity_fn_name", "cosine")
        theirs = model.similarity(
            model.encode_query(TOPICS[:1]), model.encode_document(corpus.texts(topic_lists()[0].documents))
        )[0]
        np.testing.assert_allclose(student.bind(table, 64).score_all(silent)[0], theirs, atol=2e-5, rtol=2e-5)


def test_a_plain_transformers_folder_is_a_mean_of_its_tokens(tiny: ModelFiles, tmp_path: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    AutoModel.from_pretrained(tiny.path, use_safetensors=True).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny.path)
    tokenizer.save_pretrained(tmp_path)
    student = BiEncoder.load(tmp_path)
    plain = AutoModel.from_pretrained(tmp_path)
    with torch.inference_mode():
        hidden = plain(**tokenizer("apple pie recipe", return_tensors="pt")).last_hidden_state[0]
        found = student.embed(
            student.tokens(["apple pie recipe"], "", 32).features(np.array([0]), torch.device("cpu"))
        )[0]
    torch.testing.assert_close(found, torch.nn.functional.normalize(hidden.mean(0), dim=0), atol=1e-5, rtol=1e-4)


def test_scoring_in_bf16_leaves_the_weights_alone(
    tiny: ModelFiles, corpus: TinyCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = BiEncoder.load(tiny.path)
    before = {name: weight.clone() for name, weight in student.model.state_dict().items()}
    reader = student.bind(ListDataset.of(topic_lists(), corpus), 32)
    full = np.concatenate(reader.score_all(silent))
    monkeypatch.setattr("harness.students.student.best_dtype", lambda: "bf16")
    half = np.concatenate(reader.score_all(silent))
    assert (half != full).any()
    np.testing.assert_allclose(half, full, atol=0.02)
    assert all(torch.equal(weight, before[name]) for name, weight in student.model.state_dict().items())
