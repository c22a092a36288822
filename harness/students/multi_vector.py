"""Late-interaction students: a vector a token, and MaxSim between those of a query and those of a document (Khattab &
Zaharia, ColBERT, arXiv 2004.12832)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.pretrained.encoder_classes import load_multi_vector_encoder
from harness.pretrained.loading import silence_libraries
from harness.students.gradient_cache import recompute_activations
from harness.students.retriever import DOCUMENT_PROMPTS, MICRO_TOKENS, QUERY_PROMPTS
from harness.students.student import ListScorer, Student, inference_mode, load_options
from harness.students.tokenised import ON_ACCELERATOR, TransformerTokens, cut_into_passes

if TYPE_CHECKING:
    import torch
    from sentence_transformers import MultiVectorEncoder
    from torch import Tensor

    from harness.progress import Progress
    from harness.training_lists.list_dataset import Batch, ListDataset
else:
    torch = lazy("torch")

st_similarity = lazy("sentence_transformers.util.similarity")
st_scoring = lazy("sentence_transformers.multi_vector_encoder.scoring")

Side = Literal["query", "document"]
_PROMPTS: dict[Side, tuple[str, ...]] = {"query": QUERY_PROMPTS, "document": DOCUMENT_PROMPTS}


@dataclass(frozen=True)
class SideTexts:
    """Texts of one side as sentence-transformers preprocesses them, query expansion and prefixes included: anew for
    every pass, since they depend on what stands in it."""

    pass_tokens: ClassVar[int] = TransformerTokens.pass_tokens
    model: Any
    texts: list[str]
    side: Side
    prompt: str | None
    max_length: int
    lengths: np.ndarray
    """(N,) int64: tokens without expansion."""

    @classmethod
    def of(cls, model: Any, texts: list[str], side: Side, max_length: int) -> SideTexts:
        """`texts` behind the model's prompt for their side; never longer than the model reads."""
        reader, prompts = model[0], model.prompts
        own = reader.query_length if side == "query" else reader.document_length
        longest = min(max_length, own or reader.max_seq_length or max_length)
        names = (*_PROMPTS[side], model.default_prompt_name)
        prompt = next((prompts[name] for name in names if prompts.get(name)), None)
        prompted = [(prompt or "") + text for text in texts]
        lengths = TransformerTokens.of(model.tokenizer, prompted, longest).lengths
        return cls(model, texts, side, prompt, longest, lengths)

    def features(self, rows: np.ndarray, device: torch.device) -> dict[str, Tensor]:
        """What the model reads for the texts at `rows`."""
        texts = [self.texts[row] for row in rows]
        expands = self.side == "query" and self.model[0].query_expansion is not None
        limit = {} if expands else {"processing_kwargs": {"text": {"max_length": self.max_length}}}
        features = self.model.preprocess(texts, prompt=self.prompt, task=self.side, **limit)
        return {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in features.items()}


class MultiVectorStudent(Student):
    """A MultiVectorEncoder of sentence-transformers; its score is the model's own MaxSim, or the mean over the query's
    tokens where its config says so."""

    temperature = 1.0
    learning_rate = 2e-5
    supports_bf16 = True

    def __init__(self, model: MultiVectorEncoder) -> None:
        self.device = device()
        self.model: MultiVectorEncoder = model.float().to(self.device).eval()
        self.mean = model.similarity_fn_name == "meanmaxsim"

    @classmethod
    def load(cls, folder: Path, dimensions: int | None = None) -> MultiVectorStudent:
        """What `load_multi_vector_encoder` loads. Raises UserError for others."""
        return cls(load_multi_vector_encoder(folder, str(device()), dimensions, **load_options(device())))

    def bind(self, dataset: ListDataset, max_length: int) -> MaxSimScorer:
        return MaxSimScorer(self, dataset, max_length)

    def save(self, folder: Path) -> None:
        """What ``MultiVectorEncoder(folder)`` loads."""
        with silence_libraries():
            self.model.save(str(folder), create_model_card=False)

    def vectors(
        self, texts: SideTexts, rows: np.ndarray, recompute: bool = False, done: Callable[[int], None] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Token vectors (n, T, d) float32 of the texts at `rows` and which of them are scored (n, T) bool; `recompute`
        keeps no activations."""
        passes, order, count = [], [], 0
        once = partial(self._forward, texts.side)
        forward = recompute_activations(once) if recompute else once
        budget = texts.pass_tokens * (1 if self.device.type == "cpu" else ON_ACCELERATOR)
        for part in cut_into_passes(texts.lengths[rows], budget):
            passes.append(forward(texts.features(rows[part], self.device)))
            order.append(part)
            count += len(part)
            if done is not None:
                done(count)
        width = max(mask.shape[1] for _, mask in passes)
        back = torch.from_numpy(np.argsort(np.concatenate(order))).to(self.device)
        pad = torch.nn.functional.pad
        vectors = torch.cat([pad(one, (0, 0, 0, width - one.shape[1])) for one, _ in passes])
        masks = torch.cat([pad(mask, (0, width - mask.shape[1])) for _, mask in passes])
        return vectors.index_select(0, back), masks.index_select(0, back)

    def _forward(self, side: Side, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        # The model writes into what it is given, which is read twice where activations are made again.
        found = self.model(dict(features), task=side)
        return found["token_embeddings"].float(), found["attention_mask"].bool()

    def encode(self, texts: list[str], side: Side, max_length: int) -> Iterator[np.ndarray]:
        """The vectors (t, d) float32 of each text's scored tokens, without gradients, in their order."""
        tokens = SideTexts.of(self.model, texts, side, max_length)
        with inference_mode(self):
            vectors, masks = self.vectors(tokens, np.arange(len(texts)))
        for one, mask in zip(vectors.cpu(), masks.cpu(), strict=True):
            yield one[mask].numpy()


class MaxSimScorer(ListScorer):
    """Encodes each query and each document of a batch once, however many lists it is in."""

    def __init__(self, student: MultiVectorStudent, dataset: ListDataset, max_length: int) -> None:
        self.student, self.dataset = student, dataset
        self.queries = SideTexts.of(student.model, dataset.queries, "query", max_length)
        self.documents = SideTexts.of(student.model, dataset.documents, "document", max_length)
        self.list_tokens = (
            np.array([self.documents.lengths[rows].sum() for rows in dataset.document_rows], dtype=np.int64)
            + self.queries.lengths[dataset.query_rows]
        )
        self.micro_tokens = MICRO_TOKENS * (1 if student.device.type == "cpu" else 8)

    def __call__(self, batch: Batch) -> Tensor:
        queries, query_place = np.unique(batch.queries, return_inverse=True)
        rows = np.unique(batch.documents)
        student, pool = self.student, batch.in_batch_documents
        tokens = self.queries.lengths[queries].sum() + self.documents.lengths[rows].sum()
        recompute = len(pool) > 0 and bool(tokens > self.micro_tokens)
        left, left_mask = student.vectors(self.queries, queries, recompute)
        right, right_mask = student.vectors(self.documents, rows, recompute)
        places = torch.from_numpy(query_place).to(student.device)
        left, left_mask = left[places], left_mask[places]
        own = torch.from_numpy(np.searchsorted(rows, batch.documents)).to(student.device)
        scores: Tensor = st_scoring.colbert_kd_scores(
            left, right[own], left_mask, right_mask[own], length_normalize=student.mean
        )
        if not len(pool):
            return scores
        shared = torch.from_numpy(np.searchsorted(rows, pool)).to(student.device)
        others = st_similarity.maxsim(left, right[shared], left_mask, right_mask[shared], length_normalize=student.mean)
        return torch.cat([scores, others], 1)

    def score_all(self, progress: Progress) -> list[np.ndarray]:
        student, total, scores = self.student, len(self.dataset.lists), []
        with inference_mode(student):
            for number in range(total):
                batch = self.dataset.batch(np.array([number]), student.device)
                scores.append(self(batch)[0].float().cpu().numpy())
                progress(number + 1, total, "lists")
        return scores
