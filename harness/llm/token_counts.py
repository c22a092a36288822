"""Token counts of providers' models, where their tokenizer can be had."""

from __future__ import annotations

from collections.abc import Sequence

_MESSAGE = 7
"""Tokens that the chat form adds: three for a message and its role, three that open the answer (OpenAI cookbook)."""


def openai_tokens(model: str, texts: Sequence[str]) -> list[int] | None:
    """Tokens of each text as one message; None where tiktoken does not know the model, or cannot fetch its
    vocabulary."""
    import tiktoken

    provider, _, name = model.rpartition("/")
    if provider not in ("", "openai", "azure"):
        return None
    try:
        encoding = tiktoken.encoding_for_model(name)
    except Exception:
        # Not known (KeyError), or not in the cache and no network (several kinds of errors).
        return None
    return [len(tokens) + _MESSAGE for tokens in encoding.encode_batch(list(texts), disallowed_special=())]
