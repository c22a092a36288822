"""A static-embedding student out of an encoder: one vector a token, a text is their mean.

The way of model2vec (Tulkens & van Dongen 2024, github.com/MinishLab/model2vec), without that package: every token of
the vocabulary goes through the encoder by itself, the vectors are turned onto their principal axes and weighted by
smooth inverse frequency, with the rank of a token in the vocabulary in the place of its frequency (Zipf's law). Two
things differ from model2vec's defaults, since they find more on the dev queries of semanlink (nDCG@10 of MiniLM's
static student: 0.26 with its defaults, 0.29 with the first, 0.34 with both): a steeper weighting (coefficient 1e-5 for
1e-4), and axes of equal spread (whitening), without which few axes decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness._lazy import lazy
from harness.device import best_dtype, device
from harness.errors import UserError
from harness.files import sha256
from harness.models import ModelFiles
from harness.stage import Context, Stage, digest
from harness.students.retriever import BiEncoder
from harness.students.student import inference_mode
from harness.user_cache import fill_from_cache

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")

sentence_transformers = lazy("sentence_transformers")
st_modules = lazy("sentence_transformers.sentence_transformer.modules")
transformers = lazy("transformers")

_UNUSED = re.compile(r"\[unused\d+\]")


@dataclass(frozen=True, eq=False, kw_only=True)
class StaticStudent(Stage):
    """A sentence-transformers folder with one StaticEmbedding, made from `encoder` without any text.

    It is made once a machine and user, whatever workspaces need it.
    """

    kind: ClassVar[str] = "static-student"
    computes: ClassVar[bool | None] = True

    encoder: ModelFiles
    dimensions: int | None = None
    """How many principal axes are kept; None keeps all."""
    whitening: float = 1.0
    """Each axis is divided by this power of its spread: 1 makes all axes equal, 0 leaves them."""
    sif: float | None = 1e-5
    """Coefficient a of the weighting a / (a + p(token)); None weighs all alike."""

    @property
    def label(self) -> str:
        return self.encoder.name

    def run(self, out: Path, context: Context) -> None:
        # Another device, precision, torch or edit of this file may change bits of what comes out.
        libraries = [torch.__version__, transformers.__version__, sha256(Path(__file__))]
        machine = digest([str(device()), best_dtype(), *libraries])[:12]
        fill_from_cache("static-students", f"{self.key}-{machine}", out, lambda folder: self._make(folder, context))

    def _make(self, out: Path, context: Context) -> None:
        vectors = encode_vocabulary(BiEncoder.load(self.encoder.path), context)
        axes = principal_axes(vectors, self.dimensions, self.whitening)
        save_static(self.encoder.path, weigh_by_frequency(axes, self.sif), out)


def encode_vocabulary(encoder: BiEncoder, context: Context) -> np.ndarray:
    """(V, d) float32: the output at each token by itself between the special tokens; zeros for special and unused
    tokens."""
    if encoder.static:
        raise UserError(
            "a static student is made from a transformer", remedy="use the static model itself as the student"
        )
    tokenizer = encoder.model.tokenizer
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    special = set(tokenizer.all_special_ids)
    used = np.array(
        [number for number, name in enumerate(names) if number not in special and not _UNUSED.fullmatch(name)]
    )
    before, after = _special_tokens(tokenizer)
    vectors = np.zeros((len(names), encoder.model[0].get_embedding_dimension()), dtype=np.float32)
    with inference_mode(encoder):
        for start in range(0, len(used), 1_024):
            block = used[start : start + 1_024]
            ids = torch.from_numpy(np.stack([[*before, number, *after] for number in block])).to(encoder.device)
            output = encoder.model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})["token_embeddings"]
            vectors[block] = output[:, len(before)].float().cpu().numpy()
            context.progress(start + len(block), len(used), "tokens")
    return vectors


def _special_tokens(tokenizer: object) -> tuple[list[int], list[int]]:
    """The special tokens that stand before and after a text."""
    framed = tokenizer("a")["input_ids"]  # type: ignore[operator]
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]  # type: ignore[operator]
    start = next(first for first in range(len(framed)) if framed[first : first + len(plain)] == plain)
    return framed[:start], framed[start + len(plain) :]


def principal_axes(vectors: np.ndarray, dimensions: int | None = None, whitening: float = 0.0) -> np.ndarray:
    """(V, dimensions): centred, turned onto the principal axes, widest first, each divided by its spread to the power
    `whitening`.

    Rows of zeros (tokens that are left out) do not count and stay zeros; axes without spread are dropped. Raises
    UserError when fewer axes than `dimensions` are left.
    """
    real: np.ndarray = np.abs(vectors).max(axis=1) > 0
    centred = np.where(real[:, None], vectors - vectors[real].mean(axis=0), 0).astype(np.float64)
    variances, axes = np.linalg.eigh(centred.T @ centred / real.sum())
    order = np.argsort(variances)[::-1]
    order = order[variances[order] > 1e-6 * variances.max()]
    if dimensions is not None and dimensions > len(order):
        raise UserError(f"there are no {dimensions} dimensions in an encoder with {len(order)}", key="dimensions")
    widest = order[:dimensions]
    turned: np.ndarray = centred @ (axes[:, widest] / variances[widest] ** (whitening / 2))
    return turned.astype(np.float32)


def weigh_by_frequency(vectors: np.ndarray, sif: float | None) -> np.ndarray:
    """Rows weighted by a / (a + p), p falling as 1 / (rank + 2) over the vocabulary; scaled so that the mean norm is
    1."""
    if sif is not None:
        share = 1 / np.arange(2, len(vectors) + 2)
        vectors = vectors * (sif / (sif + share / share.sum()))[:, None]
    norms = np.linalg.norm(vectors, axis=1)
    scaled: np.ndarray = vectors / norms[norms > 0].mean()
    return scaled.astype(np.float32)


def save_static(encoder: Path, vectors: np.ndarray, out: Path) -> None:
    """The folder that ``SentenceTransformer(out)`` loads: the encoder's tokenizer, one float32 row of `vectors` a
    token, cosine."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(encoder), local_files_only=True).backend_tokenizer
    tokenizer.no_truncation()
    model = sentence_transformers.SentenceTransformer(
        modules=[st_modules.StaticEmbedding(tokenizer, embedding_weights=vectors)],
        device="cpu",
        similarity_fn_name="cosine",
    )
    model.save(str(out), create_model_card=False)
