"""Sparse students: weights over a vocabulary (Formal et al., SPLADE, arXiv 2107.05720; SPLADE v2, arXiv 2109.10086)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.pretrained.encoder_classes import load_sparse_encoder
from harness.students.retriever import DOCUMENT_PROMPTS, QUERY_PROMPTS, BiEncoder
from harness.students.student import inference_mode, load_options
from harness.students.tokenised import run_sorted

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix
else:
    torch = lazy("torch")

sparse = lazy("scipy.sparse")
sparse_modules = lazy("sentence_transformers.sparse_encoder.modules")
st_tensor = lazy("sentence_transformers.util.tensor")

BLOCK = 512
"""Texts whose weights are dense in memory at once: 60 MB of BERT's vocabulary."""


class SparseStudent(BiEncoder):
    """A SparseEncoder of sentence-transformers: a bi-encoder whose embedding has a weight for each term."""

    model: Any

    @classmethod
    def load(cls, folder: Path, scale: float = 1.0) -> SparseStudent:
        """What `load_sparse_encoder` loads. Raises UserError for others."""
        return cls(load_sparse_encoder(folder, str(device()), **load_options(device())), scale)

    def embed(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        """(n, V), of unit length where the model compares by cosine; cut to the model's `max_active_dims`."""
        for part in self.model:
            if isinstance(part, sparse_modules.SpladePooling):
                # Otherwise it works in place, which gradients do not survive.
                part.training = torch.is_grad_enabled()
        weights: torch.Tensor = self.model(features)["sentence_embedding"].float()
        weights = st_tensor.select_max_active_dims(weights, self.model.max_active_dims)
        return torch.nn.functional.normalize(weights, dim=-1) if self.cosine else weights

    def encode(self, texts: list[str], is_query: bool, max_length: int) -> csr_matrix:
        """Weights (N, V) float32 of texts, without gradients, in their order."""
        prompt = self.prompt(QUERY_PROMPTS if is_query else DOCUMENT_PROMPTS)
        blocks = []
        for start in range(0, len(texts), BLOCK):
            block = texts[start : start + BLOCK]
            tokens = self.tokens(block, prompt, max_length)
            with inference_mode(self):
                weights = run_sorted(self.embed, tokens, np.arange(len(block)), self.device)
            blocks.append(sparse.csr_matrix(weights.cpu().numpy()))
        return sparse.vstack(blocks, format="csr")
