"""Folders that model2vec wrote (``StaticModel.save_pretrained``), read without that package.

Format (github.com/MinishLab/model2vec): ``config.json`` with its model type, ``tokenizer.json``, and in
``model.safetensors`` the rows ``embeddings``, with quantised vocabularies also ``mapping`` (token id to row) and
``weights`` (one factor a token).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.pretrained.model_folder import read_json

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

safetensors_numpy = lazy("safetensors.numpy")
sentence_transformers = lazy("sentence_transformers")
st_modules = lazy("sentence_transformers.sentence_transformer.modules")
tokenizers = lazy("tokenizers")


def is_model2vec(folder: Path) -> bool:
    """Whether model2vec wrote the folder and sentence-transformers has nothing of its own in it."""
    return (
        not (folder / "modules.json").is_file() and read_json(folder / "config.json").get("model_type") == "model2vec"
    )


def load_model2vec(folder: Path, device: str) -> SentenceTransformer:
    """The same embeddings as a model of sentence-transformers: means of the tokens' rows, of unit length where the
    config says so."""
    held = safetensors_numpy.load_file(folder / "model.safetensors")
    rows = held["embeddings"].astype(np.float32)
    if "mapping" in held:
        rows = rows[held["mapping"].astype(np.int64)]
    if "weights" in held:
        rows = rows * held["weights"].astype(np.float32)[:, None]
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    modules = [st_modules.StaticEmbedding(tokenizer, embedding_weights=np.ascontiguousarray(rows))]
    if read_json(folder / "config.json").get("normalize", True):
        modules.append(st_modules.Normalize())
    model: SentenceTransformer = sentence_transformers.SentenceTransformer(
        modules=modules, device=device, similarity_fn_name="cosine"
    )
    return model
