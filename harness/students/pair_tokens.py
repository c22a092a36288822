"""Pairs of a query and a document as tokens, and what decoders need for them: a pad token, and tokens that answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import UserError
from harness.students.qwen_prompt import QWEN3_TEMPLATE, framed_pairs
from harness.students.tokenised import TransformerTokens

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BLOCK = 1_000
_RELEVANT = frozenset({"relevant", "true", "yes", "positive", "match", "duplicate", "entailment"})
_IRRELEVANT = frozenset(
    {
        *("irrelevant", "non relevant", "nonrelevant", "not relevant", "false", "no", "negative"),
        *("no match", "not match", "not duplicate", "non duplicate", "not entailment", "contradiction"),
    }
)
"""Names of a classifier's outputs, in lower case and without signs."""
_GENERATES = "text-generation"
ANSWERS = (("yes", "no"), ("Yes", "No"), ("▁yes", "▁no"), ("Ġyes", "Ġno"), ("true", "false"), ("▁true", "▁false"))
"""Tokens that say that a document is relevant or not, first found first taken; sentence-transformers takes the first
pair."""


def pair_tokens(model: CrossEncoder, pairs: list[tuple[str, str]], max_length: int) -> TransformerTokens:
    """As sentence-transformers reads them, behind the model's prompt and in its chat template where it has them."""
    reader: Any = model[0]
    longest = min(max_length, model.max_seq_length or max_length)
    prompt = model.prompts.get(model.default_prompt_name) if model.default_prompt_name else None
    generates = reader.transformer_task == _GENERATES
    if not (prompt or generates or "message" in reader.modality_config):
        return TransformerTokens.of(model.tokenizer, pairs, longest)
    if model.tokenizer.chat_template == QWEN3_TEMPLATE:
        alike = _preprocessed(model, [("a", "b")], prompt, longest)
        constants = {name: value for name, value in alike.items() if getattr(value, "ndim", 0) != 2}
        return framed_pairs(model.tokenizer, pairs, prompt, longest, constants)
    columns: dict[str, list[np.ndarray]] = {}
    constants = {}
    for start in range(0, len(pairs), _BLOCK):
        features = _preprocessed(model, pairs[start : start + _BLOCK], prompt, longest)
        mask = features.pop("attention_mask").numpy().astype(bool)
        for name, value in features.items():
            if getattr(value, "shape", None) == mask.shape:
                rows = zip(value.numpy(), mask, strict=True)
                columns.setdefault(name, []).extend(row[real].astype(np.int32) for row, real in rows)
            else:
                constants[name] = value
    lengths = np.array([len(row) for row in columns.get("input_ids", ())], dtype=np.int64)
    if generates:
        # Padding stands on the left and must not move the text.
        columns["position_ids"] = [np.arange(length, dtype=np.int32) for length in lengths]
    pad, left = model.tokenizer.pad_token_id, model.tokenizer.padding_side == "left"
    return TransformerTokens(columns, lengths, pad, left, constants=constants)


def _preprocessed(
    model: CrossEncoder, pairs: list[tuple[str, str]], prompt: str | None, longest: int
) -> dict[str, Any]:
    try:
        return dict(model.preprocess(pairs, prompt=prompt, processing_kwargs={"text": {"max_length": longest}}))
    except ValueError as error:
        raise UserError(
            f"the ranker cannot read pairs: {error}", remedy="take a reranker whose chat template has both roles"
        ) from error


def relevant_output(names: Mapping[int, str]) -> int:
    """Which of two outputs, 0 or 1, says that a document is relevant, by their `names`; the second where these do not
    tell (monoBERT)."""
    words = {number: re.sub(r"[^a-z]+", " ", str(name).lower()).strip() for number, name in names.items()}
    right = [number for number, word in words.items() if word in _RELEVANT]
    wrong = [number for number, word in words.items() if word in _IRRELEVANT]
    if len(right) == 1:
        return int(right[0])
    return 1 - int(wrong[0]) if len(wrong) == 1 else 1


def complete_padding(model: CrossEncoder) -> None:
    """Gives a tokenizer and a config without a pad token one, so that pairs of several lengths go through together.

    Decoders score the last token that is no padding; the token taken ends no pair.
    """
    tokenizer: Any = model.tokenizer
    config: Any = model[0].model.config.get_text_config()
    if tokenizer.pad_token_id is None:
        last = tokenizer("a", "b")["input_ids"][-1]
        known = (getattr(config, "pad_token_id", None), tokenizer.eos_token_id, tokenizer.unk_token_id)
        others = (*known, tokenizer.bos_token_id, *range(len(tokenizer)))
        pad = next(number for number in others if number is not None and 0 <= number != last)
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(pad)
    if getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = tokenizer.pad_token_id
        model[0].model.config.pad_token_id = tokenizer.pad_token_id


def answer_tokens(tokenizer: Any, folder: Path) -> tuple[int, int]:
    """Ids of the tokens that answer yes and no. Raises UserError where the vocabulary has no such pair."""
    vocabulary = tokenizer.get_vocab()
    for yes, no in ANSWERS:
        if yes in vocabulary and no in vocabulary:
            return vocabulary[yes], vocabulary[no]
    raise UserError(
        f"the model in '{folder}' generates text, and its vocabulary has no token for yes and no: a ranker of it would "
        "get a head of random numbers",
        remedy="take a reranker, or an encoder",
    )
