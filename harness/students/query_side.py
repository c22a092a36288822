"""Training of the query encoder alone: documents keep the embeddings of the model it started from, so an index of them stays valid.

As Atlas does with few examples (Izacard et al., arXiv 2208.03299, query-side fine-tuning).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.students.retriever import BiEncoder, EmbeddingReader
from harness.students.student import inference, loading, opening, quiet
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
    """A bi-encoder whose query side learns. It is saved with both sides, as a model with a route for queries and one for documents."""

    start: Path

    @classmethod
    def load(cls, folder: Path, scale: float = 1.0) -> QueryEncoder:
        student = super().load(folder, scale)
        assert isinstance(student, cls)
        student.start = folder
        return student

    def bind(self, table: ListDataset, max_length: int) -> QueryReader:
        return QueryReader(self, table, max_length)

    def save(self, folder: Path) -> None:
        """What ``SentenceTransformer(folder)`` loads: ``encode_query`` is what was trained, ``encode_document`` the start model."""

        with opening(self.start):
            still = sentence_transformers.SentenceTransformer(
                str(self.start), device="cpu", model_kwargs=loading(self.device), local_files_only=True
            ).float()
        router = st_modules.Router.for_query_document([*self.model], [*still])
        model = sentence_transformers.SentenceTransformer(
            modules=[router],
            device=str(self.device),
            prompts=self.model.prompts,
            default_prompt_name=self.model.default_prompt_name,
            similarity_fn_name=self.model.similarity_fn_name,
        )
        with quiet():
            model.save(str(folder), create_model_card=False)


class QueryReader(EmbeddingReader):
    """Embeds the documents once, before anything is learnt, and the queries of each batch."""

    def __init__(self, student: QueryEncoder, table: ListDataset, max_length: int) -> None:
        super().__init__(student, table, max_length)
        with inference(student):
            found = run_sorted(student.embed, self.documents, np.arange(len(table.documents)), student.device)
        # Out of inference mode, so that gradients may flow past it.
        self.fixed = found.clone()

    def costs(self) -> np.ndarray:
        return np.zeros(len(self.table.documents), dtype=np.int64)

    def embedded(self, rows: np.ndarray, frugal: bool, progress: Progress | None = None) -> torch.Tensor:

        return self.fixed[torch.from_numpy(rows).to(self.fixed.device)]
