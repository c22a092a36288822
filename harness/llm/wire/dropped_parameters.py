"""Which of the wanted parameters litellm leaves out for a model, which it does without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.llm.providers import parameters


def dropped_parameters(model: str, provider: str, wanted: Mapping[str, Any]) -> list[str]:
    """The names of those parameters of `wanted` that change nothing of what the provider is sent."""
    given = {name: value for name, value in wanted.items() if value is not None}
    whole = parameters(model, provider, given, {})
    return [
        name
        for name in given
        if parameters(model, provider, {key: value for key, value in given.items() if key != name}, {}) == whole
    ]
