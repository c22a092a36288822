"""What a server that speaks the OpenAI protocol says that it serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

_CONTEXT = ("max_model_len", "context_length", "context_window", "max_context_length", "max_input_tokens", "n_ctx")
"""What vLLM and SGLang, OpenRouter, Groq, Mistral, others and llama.cpp call the most tokens of prompt and answer."""


class ServedModel(NamedTuple):
    """A model by the server's name for it, and its most tokens where the server says them."""

    name: str
    context: int | None = None


def served_models(text: str) -> list[ServedModel] | None:
    """The entries of an answer to ``/models``; None where it lists none."""
    try:
        found = json.loads(text)
        entries = found["data"] if isinstance(found, dict) else found
        return [ServedModel(str(entry["id"]), _context(entry)) for entry in entries]
    except (ValueError, LookupError, TypeError):
        return None


def _context(entry: Mapping[str, Any]) -> int | None:
    meta = entry.get("meta")
    places = (entry, meta if isinstance(meta, Mapping) else {})
    return next((place[name] for place in places for name in _CONTEXT if isinstance(place.get(name), int)), None)
