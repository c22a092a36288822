"""Encoder-decoders that answer true or false: monoT5 (Nogueira et al., arXiv 2003.06713)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._lazy import lazy
from harness.device import device
from harness.errors import UserError
from harness.pretrained.loading import explain_load_errors, silence_libraries
from harness.pretrained.model_folder import generates, read_json
from harness.students.cross_encoder import CrossRanker, PairReader
from harness.students.tokenised import TransformerTokens

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")

transformers = lazy("transformers")

ANSWERS = {"t5": (("▁true", "▁false"),), "mt5": (("▁yes", "▁no"), ("▁true", "▁false"))}
"""Tokens that say that a document is relevant or not, by the type of the model, first found first taken."""
ENDING = "Relevant:"


class Seq2SeqRanker(PairReader):
    """A T5 that reads "Query: ... Document: ... Relevant:"; its score is the logit of true minus that of false as the
    first token of the answer."""

    temperature = 1.0
    learning_rate = 2e-5
    supports_bf16 = True

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Raises UserError where the vocabulary lacks the answers."""
        self.device = device()
        self.model: Any = model.float().to(self.device).eval()
        self.tokenizer = tokenizer
        # Where models of sentence-transformers have it: freezing and LoRA look there. No part of itself, though.
        object.__setattr__(self.model, "transformers_model", self.model)
        vocabulary = tokenizer.get_vocab()
        answers = next((pair for pair in ANSWERS[model.config.model_type] if set(pair) <= set(vocabulary)), None)
        if answers is None:
            raise UserError("this T5 has no tokens for true and false", remedy="take a monoT5, or another ranker")
        self.answers = [vocabulary[answer] for answer in answers]

    @classmethod
    def load(cls, folder: Path) -> Seq2SeqRanker:
        """A folder that transformers saved. Raises UserError for others."""
        with explain_load_errors(folder):
            model = transformers.AutoModelForSeq2SeqLM.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return cls(model, tokenizer)

    def save(self, folder: Path) -> None:
        """What ``AutoModelForSeq2SeqLM`` and ``AutoTokenizer`` load."""
        with silence_libraries():
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)

    def pairs(self, texts: list[tuple[str, str]], max_length: int) -> TransformerTokens:
        """Long documents are cut; the question after them stays."""
        ending = self.tokenizer(ENDING)["input_ids"]
        rows = self.tokenizer(
            [f"Query: {query} Document: {document}" for query, document in texts], add_special_tokens=False
        )["input_ids"]
        room = max(max_length - len(ending), 1)
        ids = [np.array([*row[:room], *ending], dtype=np.int32) for row in rows]
        lengths = np.array([len(row) for row in ids], dtype=np.int64)
        return TransformerTokens({"input_ids": ids}, lengths, self.tokenizer.pad_token_id, pads_left=False)

    def logits(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        start = features["input_ids"].new_full(
            (len(features["input_ids"]), 1), self.model.config.decoder_start_token_id
        )
        answer = self.model(**features, decoder_input_ids=start).logits[:, 0]
        difference: torch.Tensor = answer[:, self.answers[0]] - answer[:, self.answers[1]]
        return difference


def load_cross_encoder(folder: Path) -> PairReader:
    """A ranker that reads pairs, as what it was trained: a classifier, a decoder or a T5 that answers, or an encoder
    under a fresh head. Raises UserError for other generative models."""
    config = read_json(folder / "config.json")
    heads: list[str] = config.get("architectures") or []
    if not generates(folder) or not any(head.endswith("ForConditionalGeneration") for head in heads):
        return CrossRanker.load(folder)
    if config.get("model_type") not in ANSWERS:
        raise UserError(
            f"the model in '{folder}' is a {heads[0]}, which generates text: a ranker of it would get a head of random "
            "numbers",
            remedy="take a reranker, a monoT5, or an encoder",
        )
    return Seq2SeqRanker.load(folder)
