"""A ranker whose encoder stays as it is: a linear projection of its query embeddings and one of its document embeddings
learn.

What Search-Adaptor (Yoon et al., ACL 2024, arXiv 2310.08750) does with embeddings whose model cannot be trained, here
without its regularisers. Texts are embedded once, so a training on a thousand lists takes seconds where all layers take
many minutes on a CPU.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.pretrained.loading import silence_libraries
from harness.pretrained.sentence_encoder import load_sentence_encoder
from harness.students.retriever import DOCUMENT_PROMPTS, MICRO_TOKENS, QUERY_PROMPTS, BiEncoder
from harness.students.student import ListScorer, Student, inference_mode, load_options
from harness.students.tokenised import run_sorted

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

    from harness.progress import Progress
    from harness.training_lists.list_dataset import Batch, ListDataset
else:
    torch = lazy("torch")

sentence_transformers = lazy("sentence_transformers")
st_modules = lazy("sentence_transformers.sentence_transformer.modules")

FILE = "projection.json"
"""Tells a folder that `ProjectionRanker.save` wrote from an encoder with routes of its own."""
SIDES = ("query", "document")


class ProjectionRanker(Student):
    """A frozen bi-encoder under a square linear projection of queries and one of documents, both the identity at
    first."""

    learning_rate = 3e-4
    supports_bf16 = False

    def __init__(self, encoder: BiEncoder, embeddings: np.ndarray | None = None) -> None:
        """`embeddings` (M, d): what the encoder makes of the documents of the dataset that it will be bound to, in
        their order; embedded then when left out."""
        self.encoder, self.embeddings = encoder, embeddings
        self.device, self.temperature = encoder.device, encoder.temperature
        encoder.model.requires_grad_(False)
        size = encoder.model.get_embedding_dimension()
        self.projections = {side: torch.nn.Linear(size, size, bias=False) for side in SIDES}
        for projection in self.projections.values():
            torch.nn.init.eye_(projection.weight)
        self.model = torch.nn.ModuleDict(self.projections).to(self.device)

    @classmethod
    def load(cls, folder: Path, scale: float, embeddings: np.ndarray | None = None) -> ProjectionRanker:
        """What `save` wrote, or any encoder under the identity. Raises UserError for what is no encoder."""
        if not (folder / FILE).is_file():
            return cls(BiEncoder.load(folder, scale), embeddings)
        model = load_sentence_encoder(folder, str(device()), **load_options(device()))
        modules = list(model)
        place = next(number for number, part in enumerate(modules) if isinstance(part, st_modules.Router))
        ranker = cls(BiEncoder(_with_modules(model, modules[:place]), scale), embeddings)
        for side, projection in ranker.projections.items():
            projection.weight.data.copy_(modules[place].sub_modules[side][0].linear.weight)
        return ranker

    def bind(self, dataset: ListDataset, max_length: int) -> ProjectionScorer:
        return ProjectionScorer(self, dataset, max_length)

    def save(self, folder: Path) -> None:
        """What ``SentenceTransformer(folder)`` loads: ``encode_query`` and ``encode_document`` end in the projection of
        their side."""
        encoder = self.encoder.model
        router = st_modules.Router.for_query_document(*([_dense(self.projections[side])] for side in SIDES))
        ending = [st_modules.Normalize()] if self.encoder.cosine else []
        with silence_libraries():
            _with_modules(encoder, [*encoder, router, *ending]).save(str(folder), create_model_card=False)
        (folder / FILE).write_text(json.dumps({"projections": "the Router"}), encoding="utf-8")

    def embed(self, vectors: torch.Tensor, side: str) -> torch.Tensor:
        """(n, d) embeddings of the encoder as the ranker compares them."""
        projected: torch.Tensor = self.projections[side](vectors)
        return torch.nn.functional.normalize(projected, dim=-1) if self.encoder.cosine else projected


class ProjectionScorer(ListScorer):
    """Embeds every text once, before anything is learnt."""

    def __init__(self, student: ProjectionRanker, dataset: ListDataset, max_length: int) -> None:
        self.student, self.dataset = student, dataset
        self.list_tokens = np.array([len(rows) + 1 for rows in dataset.document_rows])
        self.micro_tokens = MICRO_TOKENS
        self.queries = self._encoded(dataset.queries, QUERY_PROMPTS, max_length)
        self.documents = (
            torch.from_numpy(student.embeddings.astype(np.float32)).to(student.device)
            if student.embeddings is not None
            else self._encoded(dataset.documents, DOCUMENT_PROMPTS, max_length)
        )

    def _encoded(self, texts: list[str], prompts: tuple[str, ...], max_length: int) -> torch.Tensor:
        encoder = self.student.encoder
        tokens = encoder.tokens(texts, encoder.prompt(prompts), max_length)
        with inference_mode(encoder):
            vectors = run_sorted(encoder.embed, tokens, np.arange(len(texts)), encoder.device)
        # Out of inference mode, so that gradients may flow past it.
        return vectors.float().clone()

    def __call__(self, batch: Batch) -> torch.Tensor:
        student, place = self.student, self.student.device
        queries = student.embed(self.queries[torch.from_numpy(batch.queries).to(place)], "query")
        rows = torch.from_numpy(batch.documents).to(place)
        own = torch.einsum("bd,bkd->bk", queries, student.embed(self.documents[rows], "document"))
        if not len(batch.in_batch_documents):
            return student.encoder.scale * own
        others = student.embed(self.documents[torch.from_numpy(batch.in_batch_documents).to(place)], "document")
        return student.encoder.scale * torch.cat([own, queries @ others.T], 1)

    def score_all(self, progress: Progress) -> list[np.ndarray]:
        student = self.student
        with torch.no_grad():
            left = student.embed(self.queries, "query").cpu().numpy()
            right = student.embed(self.documents, "document").cpu().numpy()
        return [
            student.encoder.scale * (right[rows] @ left[query])
            for query, rows in zip(self.dataset.query_rows, self.dataset.document_rows, strict=True)
        ]


def _dense(projection: torch.nn.Linear) -> torch.nn.Module:
    """A layer of sentence-transformers with the weights of `projection`."""
    layer = st_modules.Dense(
        projection.in_features, projection.out_features, bias=False, activation_function=torch.nn.Identity()
    )
    layer.linear.weight.data.copy_(projection.weight.data)
    return cast("torch.nn.Module", layer)


def _with_modules(model: SentenceTransformer, modules: list[torch.nn.Module]) -> SentenceTransformer:
    """`model` made of other modules, its prompts and similarity unchanged."""
    return sentence_transformers.SentenceTransformer(
        modules=modules,
        device=str(model.device),
        prompts=model.prompts,
        default_prompt_name=model.default_prompt_name,
        similarity_fn_name=model.similarity_fn_name,
    )
