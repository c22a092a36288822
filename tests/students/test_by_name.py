"""Students as they come: prompts, pooling, normalisation and similarity of the checkpoint's own config; rerankers and fresh heads."""

from __future__ import annotations

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
from harness.training.train_settings import TrainSettings
from harness.training.training_loop import fit
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, TinyCorpus, topic_lists

pytestmark = pytest.mark.models


def encoder(tiny: ModelFiles, folder: Path, pooling: dict[str, Any], dense: int = 0, unit: bool = False, **config: Any) -> Path:
    """A sentence-transformers folder with this pooling, a projection and normalisation where wanted, and this config."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    torch.manual_seed(0)
    transformer = Transformer(str(tiny.path))
    modules = [transformer, Pooling(128, **pooling), *([Dense(128, dense)] if dense else []), *([Normalize()] if unit else [])]
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

    folder = encoder(tiny, tmp_path / "start", **config)
    table = ListDataset.of(topic_lists(scores=True), corpus)
    student = BiEncoder.load(folder)
    for place in (folder, tmp_path / "trained"):
        model = SentenceTransformer(str(place)) if place.exists() else None
        if model is None:
            with deterministic(0):
                fit(student, table, LossSpec.of("kl").loss(student.temperature), TrainSettings(epochs=1), 64, 0, silent)
            student.save(place)
            model = SentenceTransformer(str(place))
        assert model.prompts.items() >= config.get("prompts", {}).items()
        assert model.similarity_fn_name == config.get("similarity_fn_name", "cosine")
        theirs = model.similarity(model.encode_query(TOPICS[:1]), model.encode_document(corpus.texts(topic_lists()[0].documents)))[0]
        np.testing.assert_allclose(student.over(table, 64).score_all(silent)[0], theirs, atol=2e-5, rtol=2e-5)


def test_a_plain_transformers_folder_is_a_mean_of_its_tokens(tiny: ModelFiles, tmp_path: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    AutoModel.from_pretrained(tiny.path, use_safetensors=True).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny.path)
    tokenizer.save_pretrained(tmp_path)
    student = BiEncoder.load(tmp_path)
    plain = AutoModel.from_pretrained(tmp_path)
    with torch.inference_mode():
        hidden = plain(**tokenizer("apple pie recipe", return_tensors="pt")).last_hidden_state[0]
        found = student.embed(student.tokens(["apple pie recipe"], "", 32).features(np.array([0]), torch.device("cpu")))[0]
    torch.testing.assert_close(found, torch.nn.functional.normalize(hidden.mean(0), dim=0), atol=1e-5, rtol=1e-4)


def reranker(tiny: ModelFiles, folder: Path, labels: int = 1) -> Path:
    """What transformers alone saves of a trained sequence classifier."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(5)
    AutoModelForSequenceClassification.from_pretrained(tiny.path, num_labels=labels, use_safetensors=True).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny.path).save_pretrained(folder)
    return folder


def test_a_trained_reranker_keeps_its_head(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = reranker(tiny, tmp_path)
    assert saved_architecture(folder) == "cross-encoder"
    scores = [load_ranker(folder).bind(ListDataset.of(topic_lists(), corpus), 64).score_all(silent)[0] for _ in range(2)]
    texts = corpus.texts(topic_lists()[0].documents)
    with torch.inference_mode():
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        pairs = AutoTokenizer.from_pretrained(folder)([TOPICS[0]] * 6, texts, padding=True, return_tensors="pt")
        theirs = model(**pairs).logits[:, 0]
    np.testing.assert_allclose(scores[0], theirs, atol=1e-5)
    assert (scores[0] == scores[1]).all()


def test_an_encoder_gets_a_head_that_the_seed_draws(tiny: ModelFiles) -> None:
    def head(seed: int) -> torch.Tensor:
        with deterministic(seed):
            return CrossRanker.load(tiny.path).model[0].auto_model.classifier.weight.detach()

    assert torch.equal(head(0), head(0)) and not torch.equal(head(0), head(1)) and head(0).shape == (1, 128)


def test_a_classifier_of_several_classes_is_no_ranker(tiny: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"one output|does not load"):
        CrossRanker.load(reranker(tiny, tmp_path, labels=3))


def test_a_reranker_is_no_bi_encoder(tiny: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cross-encoder"):
        BiEncoder.load(reranker(tiny, tmp_path / "plain"))
    with deterministic(0):
        CrossRanker.load(tiny.path).save(tmp_path / "saved")
    with pytest.raises(UserError, match="cross-encoder"):
        load_ranker(tmp_path / "saved", "bi-encoder")


def test_an_encoder_s_default_prompt_is_nothing_for_its_pairs(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    folder = encoder(tiny, tmp_path / "start", {"pooling_mode": "mean"}, prompts={"any": "text: "}, default_prompt_name="any")
    with deterministic(0):
        ranker = CrossRanker.load(folder)
    ranker.save(tmp_path / "saved")
    theirs = CrossEncoder(str(tmp_path / "saved")).predict([(TOPICS[0], text) for text in corpus.texts(topic_lists()[0].documents)])
    found = ranker.over(ListDataset.of(topic_lists(), corpus), 64).score_all(silent)[0]
    np.testing.assert_allclose(found, theirs, atol=1e-5)
    CrossEncoder(str(tmp_path / "saved"), prompts={"any": "x: "}, default_prompt_name="any").save(str(tmp_path / "prompted"))
    with pytest.raises(UserError, match="behind a prompt"):
        CrossRanker.load(tmp_path / "prompted")
