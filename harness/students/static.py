"""A static-embedding student out of an encoder: one vector a token, a text is their mean.

The way of model2vec (Tulkens & van Dongen 2024, github.com/MinishLab/model2vec), without that package: every token of the vocabulary
goes through the encoder alone, the vectors are reduced by PCA and weighted by smooth inverse frequency, with the rank of a token in
the vocabulary in the place of its frequency (Zipf's law).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from harness.errors import UserError
from harness.models import ModelFiles
from harness.stage import Context, Stage

if TYPE_CHECKING:
    from harness.students.retriever import BiEncoder

_UNUSED = re.compile(r"\[unused\d+\]")


@dataclass(frozen=True, eq=False, kw_only=True)
class StaticStudent(Stage):
    """A sentence-transformers folder with one StaticEmbedding, made from `encoder` without any text."""

    kind: ClassVar[str] = "static-student"

    encoder: ModelFiles
    dimensions: int | None = None
    """PCA to so many dimensions; None keeps the encoder's own axes."""
    pooling: Literal["token", "sentence"] = "token"
    """token: the token's own output vector; sentence: the encoder's embedding of the token as a text."""
    sif: float | None = 1e-4
    """Coefficient of the weighting a / (a + p(token)); None weighs all alike."""

    @property
    def label(self) -> str:
        return self.encoder.name

    def run(self, out: Path, context: Context) -> None:
        from harness.students.retriever import BiEncoder

        vectors = vocabulary_vectors(BiEncoder.load(self.encoder.path), self.pooling, context)
        save_static(self.encoder.path, weighted(reduced(vectors, self.dimensions), self.sif), out)


def vocabulary_vectors(encoder: BiEncoder, pooling: Literal["token", "sentence"], context: Context) -> np.ndarray:
    """(V, d) float32: what the encoder makes of each token between its special tokens; zeros for special and unused tokens."""
    import torch

    from harness.retrieval.precision import autocast, best_dtype

    if encoder.static:
        raise UserError("a static student is made from a transformer", remedy="use the static model itself as the student")
    tokenizer = encoder.model.tokenizer
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    special = set(tokenizer.all_special_ids)
    kept = np.array([number for number, name in enumerate(names) if number not in special and not _UNUSED.fullmatch(name)])
    before, after = _frame(tokenizer)
    vectors = np.zeros((len(names), encoder.model.get_embedding_dimension() or 0), dtype=np.float32)
    encoder.model.eval()
    with torch.inference_mode(), autocast(encoder.device, best_dtype()):
        for start in range(0, len(kept), 1_024):
            block = kept[start : start + 1_024]
            ids = torch.from_numpy(np.stack([[*before, number, *after] for number in block])).to(encoder.device)
            output = encoder.model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
            chosen = output["sentence_embedding"] if pooling == "sentence" else output["token_embeddings"][:, len(before)]
            vectors[block] = chosen.float().cpu().numpy()
            context.progress(start + len(block), len(kept), "tokens")
    return vectors


def _frame(tokenizer: object) -> tuple[list[int], list[int]]:
    """The special tokens that stand before and behind a text."""
    framed = tokenizer("a")["input_ids"]  # type: ignore[operator]
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]  # type: ignore[operator]
    start = next(place for place in range(len(framed)) if framed[place : place + len(plain)] == plain)
    return framed[:start], framed[start + len(plain) :]


def reduced(vectors: np.ndarray, dimensions: int | None) -> np.ndarray:
    """(V, dimensions): centred and turned onto the principal axes, the largest first; unchanged where `dimensions` is None.

    Rows of zeros (tokens that are left out) do not count and stay zeros. Raises UserError when there are fewer axes.
    """
    if dimensions is None:
        return vectors
    if dimensions > vectors.shape[1]:
        raise UserError(f"PCA cannot give {dimensions} dimensions out of {vectors.shape[1]}", key="dimensions")
    real: np.ndarray = np.abs(vectors).max(axis=1) > 0
    centred = np.where(real[:, None], vectors - vectors[real].mean(axis=0), 0).astype(np.float64)
    values, axes = np.linalg.eigh(centred.T @ centred)
    turned: np.ndarray = centred @ axes[:, np.argsort(values)[::-1][:dimensions]]
    return turned.astype(np.float32)


def weighted(vectors: np.ndarray, sif: float | None) -> np.ndarray:
    """Rows weighted by a / (a + p), p falling as 1 / (rank + 2) over the vocabulary; scaled so that the mean norm is 1."""
    if sif is not None:
        share = 1 / np.arange(2, len(vectors) + 2)
        vectors = vectors * (sif / (sif + share / share.sum()))[:, None]
    norms = np.linalg.norm(vectors, axis=1)
    scaled: np.ndarray = vectors / norms[norms > 0].mean()
    return scaled.astype(np.float32)


def save_static(encoder: Path, vectors: np.ndarray, out: Path) -> None:
    """The folder that ``SentenceTransformer(out)`` loads: the encoder's tokenizer, one float32 row of `vectors` a token, cosine."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(encoder), local_files_only=True).backend_tokenizer
    tokenizer.no_truncation()
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=vectors)], device="cpu", similarity_fn_name="cosine")
    model.save(str(out), create_model_card=False)
