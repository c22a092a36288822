"""Tiny folders with random weights, as transformers and sentence-transformers write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import AutoTokenizer, BertConfig, BertModel

from harness.models import resolve_model
from tests.students.conftest import _fp32, bench, corpus

__all__ = ["_fp32", "bench", "corpus"]

SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


def tokenizer() -> Any:
    """The tokenizer of bundled:bert-tiny."""
    return AutoTokenizer.from_pretrained(resolve_model("bundled:bert-tiny").path)


def bert_config(**options: Any) -> BertConfig:
    """A BERT of two small layers."""
    return BertConfig(vocab_size=len(tokenizer()), **SIZES, **options)


def save(model: Any, folder: Path) -> Path:
    """`model` with its tokenizer."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers folder."""
    torch.manual_seed(0)
    plain = save(BertModel(bert_config()), tmp_path_factory.mktemp("plain"))
    folder = tmp_path_factory.mktemp("encoder")
    SentenceTransformer(modules=[Transformer(str(plain)), Pooling(16)], device="cpu").save(
        str(folder), create_model_card=False
    )
    return folder
