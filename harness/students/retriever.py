"""Bi-encoders: transformers and static embeddings, as retrievers and as rankers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.errors import UserError
from harness.pretrained.loading import silence_libraries
from harness.pretrained.sentence_encoder import load_sentence_encoder
from harness.students.gradient_cache import recompute_activations
from harness.students.student import ListScorer, Student, inference_mode, load_options
from harness.students.tokenised import StaticTokens, Tokens, TransformerTokens, run_sorted

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

    from harness.progress import Progress
    from harness.training_lists.list_dataset import Batch, ListDataset
else:
    torch = lazy("torch")

st_modules = lazy("sentence_transformers.sentence_transformer.modules")

MICRO_TOKENS = 8_192
"""On a CPU; about 2 GB of activations for MiniLM."""

QUERY_PROMPTS, DOCUMENT_PROMPTS = ("query",), ("document", "passage", "corpus")
"""The names under which sentence-transformers looks for prompts, first match wins."""


class BiEncoder(Student):
    """A sentence-transformers model whose score is `scale` times its own similarity (cosine or dot product).

    Queries and documents carry the checkpoint's own prompts. The model's similarity, pooling and modules stay as they
    are.
    """

    def __init__(self, model: SentenceTransformer, scale: float = 1.0) -> None:
        """Raises UserError for a similarity other than cosine or dot, and for models of several routes or without text
        input."""
        similarity = model.similarity_fn_name
        if similarity not in ("cosine", "dot"):
            raise UserError(
                f"this retriever compares by {similarity}", remedy="take one that compares by cosine or dot product"
            )
        if not isinstance(model[0], (st_modules.StaticEmbedding, st_modules.Transformer)):
            raise UserError(
                f"cannot train a model that begins with {type(model[0]).__name__}",
                remedy="take a transformer or a static one",
            )
        self.device = device()
        self.model: SentenceTransformer = model.float().to(self.device).eval()
        self.scale = scale
        self.cosine = similarity == "cosine"
        self.static = isinstance(model[0], st_modules.StaticEmbedding)
        self.temperature = 0.05 * scale if self.cosine else 1.0
        self.learning_rate = 3e-3 if self.static else 2e-5
        self.supports_bf16 = not self.static
        if self.static:
            self.model[0].embedding.sparse = True

    @classmethod
    def load(cls, folder: Path, scale: float = 1.0) -> BiEncoder:
        """Any encoder that `load_sentence_encoder` loads. Raises UserError for others."""
        return cls(load_sentence_encoder(folder, str(device()), **load_options(device())), scale)

    def bind(self, dataset: ListDataset, max_length: int) -> EmbeddingScorer:
        return EmbeddingScorer(self, dataset, max_length)

    def save(self, folder: Path) -> None:
        with silence_libraries():
            self.model.save(str(folder), create_model_card=False)

    def tokens(self, texts: list[str], prompt: str, max_length: int) -> Tokens:
        """`texts` behind `prompt`, tokenised; never longer than the model reads."""
        prompted = [prompt + text for text in texts] if prompt else texts
        if self.static:
            return StaticTokens.of(self.model[0].tokenizer, prompted, max_length)
        longest = min(max_length, self.model.max_seq_length or max_length)
        return TransformerTokens.of(self.model.tokenizer, prompted, longest, self._prompt_length(prompt))

    def _prompt_length(self, prompt: str) -> int:
        """How many leading tokens the model's pooling leaves out: those of the prompt, where its config says so."""
        if not prompt or all(getattr(part, "include_prompt", True) for part in self.model):
            return 0
        ids = self.model.tokenizer(prompt)["input_ids"]
        return len(ids) - (ids[-1] in self.model.tokenizer.all_special_ids)

    def prompt(self, names: tuple[str, ...]) -> str:
        """What the checkpoint puts before a text: the first of `names` that it knows, else its default."""
        known = self.model.prompts
        return next((known[name] or "" for name in (*names, self.model.default_prompt_name) if name in known), "")

    def embed(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        """(n, d), of unit length where the model compares by cosine."""
        embedded = self._static_features(features) if self.static and torch.is_grad_enabled() else self.model(features)
        vectors: torch.Tensor = embedded["sentence_embedding"].float()[:, : self.model.truncate_dim]
        return torch.nn.functional.normalize(vectors, dim=-1) if self.cosine else vectors

    def _static_features(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What the model makes of `features`, each distinct token read once: the gradient then has a row a token in
        place of one an occurrence, which the optimiser would have to sum (a third of the time a step)."""
        table = self.model[0].embedding
        tokens, places = features["input_ids"].unique(return_inverse=True)  # type: ignore[no-untyped-call]
        rows = torch.nn.functional.embedding(tokens, table.weight, sparse=table.sparse)
        means = torch.nn.functional.embedding_bag(places, rows, features["offsets"], mode=table.mode)
        embedded = {**features, "sentence_embedding": means}
        for module in [*self.model][1:]:
            embedded = module(embedded)
        return embedded


class EmbeddingScorer(ListScorer):
    """Embeds each query and each document of a batch once, however many lists it is in.

    A batch whose lists see the documents of one another cannot be cut; where it is too large for memory, activations
    are made twice.
    """

    def __init__(self, student: BiEncoder, dataset: ListDataset, max_length: int) -> None:
        self.student = student
        self.dataset = dataset
        self.queries = student.tokens(dataset.queries, student.prompt(QUERY_PROMPTS), max_length)
        self.documents = student.tokens(dataset.documents, student.prompt(DOCUMENT_PROMPTS), max_length)
        tokens = self.document_tokens()
        self.list_tokens = (
            np.array([tokens[rows].sum() for rows in dataset.document_rows]) + self.queries.lengths[dataset.query_rows]
        )
        self.micro_tokens = None if student.static else MICRO_TOKENS * (1 if student.device.type == "cpu" else 8)

    def document_tokens(self) -> np.ndarray:
        """(M,) int64: tokens of each document that gradients go through."""
        return self.documents.lengths

    def embed_documents(self, rows: np.ndarray, recompute: bool, progress: Progress | None = None) -> torch.Tensor:
        """(n, d): the documents at `rows`; `recompute` keeps no activations."""
        student, total = self.student, len(rows)
        done = None if progress is None else lambda count: progress(count, total, "documents")
        return run_sorted(
            recompute_activations(student.embed) if recompute else student.embed,
            self.documents,
            rows,
            student.device,
            done,
        )

    def __call__(self, batch: Batch) -> torch.Tensor:
        left, right, rows = self._embedded(batch)
        return self._scored(batch, left, right, rows)

    def score_with_embeddings(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        left, right, rows = self._embedded(batch)
        own = right[torch.from_numpy(np.searchsorted(rows, batch.documents)).to(right.device)]
        return self._scored(batch, left, right, rows), torch.cat([left[:, None], own], 1)

    def _embedded(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
        """Embeddings of the lists' queries (B, d) and of the distinct documents (n, d), and the rows of the latter."""
        queries, query_place = np.unique(batch.queries, return_inverse=True)
        rows = np.unique(batch.documents)
        recompute = len(batch.in_batch_documents) > 0 and self._exceeds_memory(queries, rows)
        device = self.student.device
        forward = recompute_activations(self.student.embed) if recompute else self.student.embed
        left = run_sorted(forward, self.queries, queries, device)[torch.from_numpy(query_place).to(device)]
        return left, self.embed_documents(rows, recompute), rows

    def _scored(self, batch: Batch, left: torch.Tensor, right: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        device = self.student.device
        scores = self.student.scale * (left @ right.T)
        own = scores.gather(1, torch.from_numpy(np.searchsorted(rows, batch.documents)).to(device))
        if not len(batch.in_batch_documents):
            return own
        return torch.cat(
            [own, scores[:, torch.from_numpy(np.searchsorted(rows, batch.in_batch_documents)).to(device)]], 1
        )

    def _exceeds_memory(self, queries: np.ndarray, rows: np.ndarray) -> bool:
        tokens = self.queries.lengths[queries].sum() + self.document_tokens()[rows].sum()
        return self.micro_tokens is not None and bool(tokens > self.micro_tokens)

    def score_all(self, progress: Progress) -> list[np.ndarray]:
        student = self.student
        with inference_mode(student):
            left = run_sorted(student.embed, self.queries, np.arange(len(self.dataset.queries)), student.device)
            right = self.embed_documents(np.arange(len(self.dataset.documents)), False, progress)
        queries, documents = left.cpu().numpy()[self.dataset.query_rows], right.cpu().numpy()
        return [
            student.scale * (documents[rows] @ query)
            for query, rows in zip(queries, self.dataset.document_rows, strict=True)
        ]
