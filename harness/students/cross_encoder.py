"""Cross-encoders: classifiers of pairs with one output or two, and decoders that answer yes or no."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.errors import UserError
from harness.pretrained.adapters import (
    adapted_outputs,
    add_adapter,
    brought_whole,
    merge_adapters,
    require_peft,
    supplied_by_adapter,
)
from harness.pretrained.loading import explain_load_errors, fresh_head, silence_libraries
from harness.pretrained.model_folder import adapter_base, generates
from harness.students.architecture import detect_architecture
from harness.students.pair_tokens import answer_tokens, complete_padding, pair_tokens, relevant_output
from harness.students.qwen_prompt import QWEN3_TEMPLATE, lacks_template
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
logit_score = lazy("sentence_transformers.cross_encoder.modules.logit_score")
sentence_transformers = lazy("sentence_transformers")


class PairReader(Student):
    """A student that reads a query together with a document."""

    @abstractmethod
    def pairs(self, texts: list[tuple[str, str]], max_length: int) -> TransformerTokens:
        """(query, document) pairs as the model reads them, cut to `max_length` tokens."""

    @abstractmethod
    def logits(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        """(n,) scores."""

    def bind(self, dataset: ListDataset, max_length: int) -> CrossEncoderScorer:
        return CrossEncoderScorer(self, dataset, max_length)


class CrossRanker(PairReader):
    """A cross-encoder of sentence-transformers.

    Its score is the raw logit of a classifier with one output; of one with two the output for relevant minus the other,
    which is the second minus the first unless its labels say otherwise (monoBERT, Nogueira et al., arXiv 1910.14424);
    and of a decoder the logit of yes minus that of no at the end of the pair.
    """

    temperature = 1.0
    learning_rate = 2e-5
    supports_bf16 = True

    def __init__(self, model: CrossEncoder) -> None:
        """Raises UserError for anything but a transformer with one output or two."""
        if not isinstance(model[0], st_modules.Transformer) or model.num_labels not in (1, 2):
            raise UserError(
                f"this cross-encoder has {model.num_labels} outputs, and a ranker's score is one output or the "
                "difference of two",
                remedy="take another ranker",
            )
        self.device = device()
        self.model: CrossEncoder = model.float().to(self.device).eval()
        complete_padding(model)
        # A saved sigmoid would turn large logits into ties.
        self.model.activation_fn = torch.nn.Identity()
        self.relevant = relevant_output(getattr(model.config, "id2label", None) or {})

    @classmethod
    def load(cls, folder: Path) -> CrossRanker:
        """A trained cross-encoder, a decoder with its own answers, or any encoder under a fresh head (drawn from
        torch's generator). Raises UserError for a generative model of another kind."""
        trained = detect_architecture(folder) == "cross-encoder"
        require_peft(folder)
        if adapter_base(folder) is not None and not trained:
            with TemporaryDirectory() as whole:
                BiEncoder.load(folder).save(Path(whole))
                return cls.load(Path(whole))
        options = {"use_safetensors": True, **load_options(device())}
        answers = not trained and generates(folder)
        exempt = (supplied_by_adapter, brought_whole(folder), *(() if trained or answers else (fresh_head,)))
        with explain_load_errors(folder, *exempt):
            model = _decoder(folder, options) if answers else _classifier(folder, trained, options)
            merge_adapters(model, options)
        if not trained:
            # What an encoder puts before its texts is nothing for pairs.
            model.default_prompt_name = None
        return cls(model)

    def save(self, folder: Path) -> None:
        with silence_libraries():
            self.model.save(str(folder), create_model_card=False)

    def pairs(self, texts: list[tuple[str, str]], max_length: int) -> TransformerTokens:
        return pair_tokens(self.model, texts, max_length)

    def logits(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        scores: torch.Tensor = self.model(features)["scores"]
        if scores.ndim < 2 or scores.shape[1] != 2:
            return scores.reshape(-1)
        return scores[:, self.relevant] - scores[:, 1 - self.relevant]


def _classifier(folder: Path, trained: bool, options: dict[str, Any]) -> CrossEncoder:
    base = adapter_base(folder)
    # Beside an adapter of peft alone there is no config, which a cross-encoder asks for.
    adds = base is not None and not (folder / "config.json").is_file()
    model: CrossEncoder = sentence_transformers.CrossEncoder(
        base if adds else str(folder),
        num_labels=None if trained and base is None else adapted_outputs(folder),
        device=str(device()),
        model_kwargs=options,
        local_files_only=True,
    )
    if adds:
        add_adapter(model, folder)
    return model


def _decoder(folder: Path, options: dict[str, Any]) -> CrossEncoder:
    template = {"chat_template": QWEN3_TEMPLATE} if lacks_template(folder) else {}
    transformer = st_modules.Transformer(
        str(folder),
        transformer_task="text-generation",
        model_kwargs={**options, "local_files_only": True},
        processor_kwargs={**template, "local_files_only": True},
        config_kwargs={"local_files_only": True},
    )
    yes, no = answer_tokens(transformer.tokenizer, folder)
    ending = logit_score.LogitScore(true_token_id=yes, false_token_id=no)
    model: CrossEncoder = sentence_transformers.CrossEncoder(modules=[transformer, ending], device=str(device()))
    return model


class CrossEncoderScorer(ListScorer):
    """Reads every (query, document) pair of the lists; the pairs of a batch go through the model in order of their
    length."""

    def __init__(self, student: PairReader, dataset: ListDataset, max_length: int) -> None:
        self.student = student
        self.dataset = dataset
        pairs = [
            (dataset.queries[query], dataset.documents[row])
            for query, rows in zip(dataset.query_rows, dataset.document_rows, strict=True)
            for row in rows
        ]
        self.pairs = student.pairs(pairs, max_length)
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
