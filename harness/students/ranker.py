"""Rankers: cross-encoders and bi-encoders that score the documents of a list; ``ranker.json`` says which of the two a
folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import deterministic, device
from harness.errors import UserError
from harness.pretrained.adapters import merge_adapters, require_peft, supplied_by_adapter
from harness.pretrained.loading import explain_load_errors, fresh_head, silence_libraries
from harness.pretrained.model_folder import adapter_base, read_json
from harness.students.architecture import Architecture, detect_architecture
from harness.students.projection import ProjectionRanker
from harness.students.retriever import MICRO_TOKENS, BiEncoder
from harness.students.student import ListScorer, Student, inference_mode, load_options
from harness.students.tokenised import TransformerTokens, run_sorted

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder

    from harness.progress import Progress
    from harness.training_lists.list_dataset import Batch, ListDataset
else:
    torch = lazy("torch")

st_modules = lazy("sentence_transformers.sentence_transformer.modules")
sentence_transformers = lazy("sentence_transformers")

FILE = "ranker.json"

COSINE_SCALE = 20.0
"""What a bi-encoder ranker multiplies its cosine with, so that its scores spread like a cross-encoder's."""


class CrossRanker(Student):
    """A cross-encoder with one output; its score is the raw logit."""

    temperature = 1.0
    learning_rate = 2e-5
    supports_bf16 = True

    def __init__(self, model: CrossEncoder) -> None:
        """Raises UserError for anything but a transformer with one output that reads pairs as they are."""
        if not isinstance(model[0], st_modules.Transformer) or len(model) != 1 or model.num_labels != 1:
            raise UserError(
                "this cross-encoder is no sequence classifier with one output", remedy="take another ranker"
            )
        if model.default_prompt_name is not None:
            raise UserError("this cross-encoder reads its pairs behind a prompt", remedy="take another ranker")
        self.device = device()
        self.model: CrossEncoder = model.float().to(self.device).eval()
        # A saved sigmoid would turn large logits into ties.
        self.model.activation_fn = torch.nn.Identity()

    @classmethod
    def load(cls, folder: Path) -> CrossRanker:
        """A trained cross-encoder, or any encoder under a fresh head (drawn from torch's generator)."""
        trained = detect_architecture(folder) == "cross-encoder"
        require_peft(folder)
        if adapter_base(folder) is not None and not trained:
            with TemporaryDirectory() as whole:
                BiEncoder.load(folder).save(Path(whole))
                return cls.load(Path(whole))
        with explain_load_errors(folder, *(() if trained else (fresh_head,)), supplied_by_adapter):
            model = sentence_transformers.CrossEncoder(
                str(folder),
                num_labels=1,
                device=str(device()),
                model_kwargs=(options := {"use_safetensors": True, **load_options(device())}),
                local_files_only=True,
            )
            merge_adapters(model, options)
        if not trained:
            # What an encoder puts before its texts is nothing for pairs.
            model.default_prompt_name = None
        return cls(model)

    def bind(self, dataset: ListDataset, max_length: int) -> CrossEncoderScorer:
        return CrossEncoderScorer(self, dataset, max_length)

    def save(self, folder: Path) -> None:
        with silence_libraries():
            self.model.save(str(folder), create_model_card=False)

    def logits(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        """(n,)"""
        scores: torch.Tensor = self.model(features)["scores"]
        return scores.reshape(-1)


class CrossEncoderScorer(ListScorer):
    """Reads every (query, document) pair of the lists; the pairs of a batch go through the model in order of their
    length."""

    def __init__(self, student: CrossRanker, dataset: ListDataset, max_length: int) -> None:
        self.student = student
        self.dataset = dataset
        pairs = [
            (dataset.queries[query], dataset.documents[row])
            for query, rows in zip(dataset.query_rows, dataset.document_rows, strict=True)
            for row in rows
        ]
        longest = min(max_length, student.model.max_seq_length or max_length)
        self.pairs = TransformerTokens.of(student.model.tokenizer, pairs, longest)
        self.starts = np.cumsum([0, *(len(rows) for rows in dataset.document_rows)])
        self.list_tokens = (
            np.add.reduceat(self.pairs.lengths, self.starts[:-1]) if len(pairs) else np.zeros(0, dtype=np.int64)
        )
        self.micro_tokens = MICRO_TOKENS * (1 if student.device.type == "cpu" else 8)

    def __call__(self, batch: Batch) -> torch.Tensor:
        if len(batch.in_batch_documents):
            raise UserError(
                "a cross-encoder reads the pairs of its lists only, not the documents of other lists",
                key="in_batch",
                remedy="turn in_batch off, or take a bi-encoder",
            )
        mask = batch.target.mask
        rows = np.concatenate([np.arange(self.starts[number], self.starts[number + 1]) for number in batch.lists])
        logits = run_sorted(self.student.logits, self.pairs, rows, self.student.device)
        return logits.new_zeros(mask.shape).masked_scatter(mask, logits)

    def score_all(self, progress: Progress) -> list[np.ndarray]:
        total = len(self.pairs.lengths)
        with inference_mode(self.student):
            logits = run_sorted(
                self.student.logits,
                self.pairs,
                np.arange(total),
                self.student.device,
                lambda done: progress(done, total, "pairs"),
            )
        return np.split(logits.cpu().numpy(), self.starts[1:-1])


_LOADERS: dict[Architecture, Callable[[Path], Student]] = {
    "cross-encoder": CrossRanker.load,
    "bi-encoder": partial(BiEncoder.load, scale=COSINE_SCALE),
    "projection": partial(ProjectionRanker.load, scale=COSINE_SCALE),
}


def load_ranker(folder: Path, architecture: Architecture | None = None) -> Student:
    """The ranker in `folder`, as `architecture`, else as what it was trained. Raises UserError when the folder does not
    tell."""
    return _LOADERS[architecture or read_architecture(folder)](folder)


def score_lists(
    start: Path, architecture: Architecture, dataset: ListDataset, max_length: int, progress: Progress
) -> list[list[float]]:
    """What the ranker in `start` scores the documents of every list."""
    # A cross-encoder that was never trained draws its head here.
    with deterministic(0):
        return [row.tolist() for row in load_ranker(start, architecture).bind(dataset, max_length).score_all(progress)]


def save_ranker(ranker: Student, folder: Path, architecture: Architecture) -> None:
    """The model and ``ranker.json``; sentence-transformers' own class loads the folder too."""
    ranker.save(folder)
    (folder / FILE).write_text(json.dumps({"architecture": architecture}), encoding="utf-8")


def read_architecture(folder: Path) -> Architecture:
    """From ``ranker.json``, else from what sentence-transformers and transformers wrote. Raises UserError when neither
    tells."""
    architecture: Architecture | None = read_json(folder / FILE).get("architecture") or detect_architecture(folder)
    if architecture is None:
        raise UserError(
            f"'{folder}' is no trained ranker",
            remedy="give a cross-encoder, a sentence-transformers model, or train it first",
        )
    return architecture
