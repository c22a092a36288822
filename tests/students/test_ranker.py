"""Rankers: a trained head stays, a fresh one is drawn by the seed, and what is no ranker is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.device import deterministic
from harness.errors import UserError
from harness.models import ModelFiles
from harness.progress import silent
from harness.students.cross_encoder import CrossRanker
from harness.students.ranker import load_ranker, read_architecture
from harness.students.retriever import BiEncoder
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import TOPICS, TinyCorpus, topic_lists
from tests.students.test_retriever import save_encoder

pytestmark = pytest.mark.models


def save_reranker(tiny: ModelFiles, folder: Path, labels: int = 1) -> Path:
    """What transformers alone saves of a trained sequence classifier."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(5)
    AutoModelForSequenceClassification.from_pretrained(
        tiny.path, num_labels=labels, use_safetensors=True
    ).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny.path).save_pretrained(folder)
    return folder


def test_a_trained_reranker_keeps_its_head(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = save_reranker(tiny, tmp_path)
    assert read_architecture(folder) == "cross-encoder"
    scores = [
        load_ranker(folder).bind(ListDataset.of(topic_lists(), corpus), 64).score_all(silent)[0] for _ in range(2)
    ]
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
    with pytest.raises(UserError, match="has 3 outputs"):
        CrossRanker.load(save_reranker(tiny, tmp_path, labels=3))


def test_a_reranker_is_no_bi_encoder(tiny: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cross-encoder"):
        BiEncoder.load(save_reranker(tiny, tmp_path / "plain"))
    with deterministic(0):
        CrossRanker.load(tiny.path).save(tmp_path / "saved")
    with pytest.raises(UserError, match="cross-encoder"):
        load_ranker(tmp_path / "saved", "bi-encoder")


def test_an_encoder_s_default_prompt_is_nothing_for_its_pairs(
    tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path
) -> None:
    from sentence_transformers import CrossEncoder

    folder = save_encoder(
        tiny, tmp_path / "start", {"pooling_mode": "mean"}, prompts={"any": "text: "}, default_prompt_name="any"
    )
    with deterministic(0):
        ranker = CrossRanker.load(folder)
    ranker.save(tmp_path / "saved")
    theirs = CrossEncoder(str(tmp_path / "saved")).predict(
        [(TOPICS[0], text) for text in corpus.texts(topic_lists()[0].documents)]
    )
    found = ranker.bind(ListDataset.of(topic_lists(), corpus), 64).score_all(silent)[0]
    np.testing.assert_allclose(found, theirs, atol=1e-5)


def test_an_encoder_is_no_ranker_until_it_is_trained(tiny: ModelFiles) -> None:
    with pytest.raises(UserError, match="no trained ranker"):
        load_ranker(tiny.path)
