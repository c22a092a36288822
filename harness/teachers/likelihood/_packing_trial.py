"""How a causal model is best scored with: packed where a trial shows that packing gives what the model itself gives,
else plainly.

Most models differ in their layers only, and packing replaces no more than their attention. Some add positions to the
attention (ALiBi), mix tokens otherwise (convolutions, recurrence) or scale their logits at the end; those the trial
tells from the others.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.llm.local_weights import PLAIN, in_words, load_causal
from harness.teachers.likelihood._packed_attention import PACKED, PackedPassages, Span, packed_attention
from harness.teachers.likelihood._pairs import PairRequest, Tokens
from harness.teachers.likelihood._scorer import Packed, Plain, Scorer

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")

_ROW = 64
"""Tokens of a packed row in the trial."""
_ROUNDING = {"torch.float32": 1e-4, "torch.bfloat16": 5e-2}
"""Share by which rounding may move a sum of log-probabilities; a log-probability of 1 may go the same way."""
_HEAD = 1e-3
"""Share of the largest logit by which the output embeddings may be off."""


def scorer_for(folder: Path, name: str, precision: str, row: int) -> Scorer:
    """The model in `folder`, which messages call `name`, ready to score. Says in the log, once, where it must be slow.

    Raises UserError when the model cannot be loaded or gives no numbers.
    """
    try:
        model = load_causal(folder, precision, packed_attention())
        fault = unlike(model)
    except Exception as error:  # A model's own code may raise anything.
        fault = in_words(error)
    if not fault:
        return Packed(model, row)
    # Freed before the same weights are loaded again.
    model = None
    plain = _plain(folder, name, precision)
    _tell(name, fault)
    return plain


def unlike(model: Any) -> str:
    """What keeps a model that was loaded with the packed attention from being packed, in words; empty where nothing
    does."""
    config = model.config.get_text_config()
    passages, pairs = _trial_pairs(config.vocab_size)
    layout = PackedPassages([Span(0, len(passages[0]), [])])
    with torch.inference_mode():
        tokens = torch.tensor([passages[0]], device=model.device)
        places = torch.arange(tokens.shape[1], device=model.device)[None]
        model.base_model(tokens, position_ids=places, use_cache=False, layout=layout)
    if len(layout.spans[0].memory) != config.num_hidden_layers:
        return "not all its layers call the attention that was set"
    # A window that only the mask tells of, which packing has none of.
    if layout.windows == {None} and _windowed(config):
        return "its attention has a window that cannot be read"
    found = Packed(model, _ROW).score(passages, pairs)
    model.set_attn_implementation(PLAIN)
    try:
        wanted = Plain(model).score(passages, pairs)
        if not _bare_head(model, passages[0]):
            return "its logits are not those of its output embeddings"
    finally:
        model.set_attn_implementation(PACKED)
    most = _ROUNDING[str(model.dtype)]
    # Written so that a NaN is a difference.
    if not all(abs(own - packed) <= most * (1 + abs(own)) for own, packed in zip(wanted, found, strict=True)):
        return "its own scores are others"
    return ""


def _windowed(config: Any) -> bool:
    """Whether the configuration speaks of windows."""
    if kinds := getattr(config, "layer_types", None):
        return not {"sliding_attention", "chunked_attention"}.isdisjoint(kinds)
    return any(getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size"))


def _bare_head(model: Any, tokens: Tokens) -> bool:
    """Whether logits are the output embeddings of what comes out of the layers, with nothing done to them."""
    given = torch.tensor([tokens], device=model.device)
    with torch.inference_mode():
        logits = model(given, use_cache=False).logits.float()
        own = model.get_output_embeddings()(model.base_model(given, use_cache=False).last_hidden_state).float()
    return bool((own - logits).abs().max() <= _HEAD * logits.abs().max())


def _plain(folder: Path, name: str, precision: str) -> Plain:
    """Raises UserError when it does not score either."""
    try:
        model = load_causal(folder, precision, PLAIN)
        plain = Plain(model)
        found = torch.tensor(plain.score(*_trial_pairs(model.config.get_text_config().vocab_size)))
    except UserError:
        raise
    except Exception as error:
        raise _unusable(name, in_words(error)) from error
    if not found.isfinite().all():
        raise _unusable(name, "its log-probabilities are no numbers")
    return plain


def _unusable(name: str, reason: str) -> UserError:
    remedy = "take another causal language model, or serve this one with vLLM (kind: vllm-likelihood)"
    return UserError(f"the language model '{name}' cannot score texts: {reason}", key="teachers", remedy=remedy)


@cache
def _tell(name: str, fault: str) -> None:
    """Once a model."""
    text = (
        "the language model '%s' cannot be packed: %s. It reads every pair of a passage and a query alone: slower, "
        "as exact."
    )
    logging.getLogger(__name__).warning(text, name, fault)


def _trial_pairs(vocabulary: int) -> tuple[list[Tokens], list[PairRequest]]:
    """Two passages, and two queries after each; tokens from all over the vocabulary."""
    tokens = [(7 + 7919 * number) % vocabulary for number in range(17)]
    queries = tuple(tokens[9:12]), tuple(tokens[12:17])
    return [tuple(tokens[:5]), tuple(tokens[5:9])], [
        PairRequest(passage, query) for passage in (0, 1) for query in queries
    ]
