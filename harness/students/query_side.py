"""Training of the query encoder only: documents keep the embeddings of the model it started from, so an index of them
stays valid.

As Atlas does with few examples (Izacard et al., arXiv 2208.03299, query-side fine-tuning).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import deterministic
from harness.pretrained.loading import silence_libraries
from harness.pretrained.sentence_encoder import load_sentence_encoder
from harness.students.retriever import BiEncoder, EmbeddingScorer
from harness.students.student import inference_mode, load_options
from harness.students.tokenised import run_sorted

if TYPE_CHECKING:
    import torch

    from harness.progress import Progress
    from harness.training_lists.list_dataset import ListDataset
else:
    torch = lazy("torch")

sentence_transformers = lazy("sentence_transformers")
st_modules = lazy("sentence_transformers.sentence_transformer.modules")


class QueryEncoder(BiEncoder):
    """A bi-encoder whose query side learns. It is saved with both sides, as a model with a route for queries and one
    for documents."""

    start: Path

    @classmethod
    def load(cls, folder: Path, scale: float = 1.0) -> QueryEncoder:
        student = super().load(folder, scale)
        assert isinstance(student, cls)
        student.start = folder
        return student

    def bind(self, dataset: ListDataset, max_length: int) -> QuerySideScorer:
        return QuerySideScorer(self, dataset, max_length)

    def save(self, folder: Path) -> None:
        """What ``SentenceTransformer(folder)`` loads: ``encode_query`` is what was trained, ``encode_document`` the
        start model."""
        # Weights that the start model lacks (an unused pooler) are drawn: the same ones each time.
        with deterministic(0):
            documents = load_sentence_encoder(self.start, "cpu", **load_options(self.device))
        router = st_modules.Router.for_query_document([*self.model], [*documents])
        model = sentence_transformers.SentenceTransformer(
            modules=[router],
            device=str(self.device),
            prompts=self.model.prompts,
            default_prompt_name=self.model.default_prompt_name,
            similarity_fn_name=self.model.similarity_fn_name,
        )
        with silence_libraries():
            model.save(str(folder), create_model_card=False)


class QuerySideScorer(EmbeddingScorer):
    """Embeds the documents once, before anything is learnt, and the queries of each batch."""

    def __init__(self, student: QueryEncoder, dataset: ListDataset, max_length: int) -> None:
        super().__init__(student, dataset, max_length)
        with inference_mode(student):
            vectors = run_sorted(student.embed, self.documents, np.arange(len(dataset.documents)), student.device)
        # Out of inference mode, so that gradients may flow past it.
        self.fixed = vectors.clone()

    def document_tokens(self) -> np.ndarray:
        return np.zeros(len(self.dataset.documents), dtype=np.int64)

    def embed_documents(self, rows: np.ndarray, recompute: bool, progress: Progress | None = None) -> torch.Tensor:
        return self.fixed[torch.from_numpy(rows).to(self.fixed.device)]
