"""Room for thoughts: a model that thinks before it answers needs more tokens than the answer takes, or nothing comes.

Which models think is litellm's knowledge; under which name a server has one
(``hosted_vllm/Qwen/Qwen3-8B``) does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from harness.llm.providers import litellm
from harness.llm.wire.refused_parameter import ROOM

_USUAL = "medium"
_EFFORT = {
    "none": 0,
    "disable": 0,
    "disabled": 0,
    "minimal": 2_048,
    "low": 4_096,
    _USUAL: 8_192,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 32_768,
}
"""Tokens of thinking by the effort that is asked for."""
_UNLIMITED = 32_768
"""Tokens that an answer without a limit is taken to have at most, where nobody says what the model's own limit is."""
_ASKED_ONLY = ("claude",)
"""Families that think only where a request asks for it."""


def thinking_room(model: str, effort: str | None, extra: Mapping[str, Any]) -> int:
    """Tokens to be left for thoughts by `model` (litellm's name) with this reasoning effort and these further
    parameters; 0 for models that do not think, and where it is switched off."""
    budget = _budget(extra)
    if budget is not None:
        return budget
    if effort is not None:
        return _EFFORT.get(effort.lower(), _EFFORT[_USUAL])
    name = _bare(model)
    if any(family in name for family in _ASKED_ONLY):
        return 0
    return _EFFORT[_USUAL] if name in _thinking() else 0


def output_limit(model: str) -> int | None:
    """Most tokens that `model` answers with, as litellm knows; None where it does not."""
    try:
        found = litellm().get_model_info(model).get("max_output_tokens")
    except Exception:
        # Not mapped: litellm raises a plain Exception.
        return None
    return int(found) if found else None


def context_limit(model: str) -> int | None:
    """Most tokens of a prompt for `model`, as litellm knows; None where it does not."""
    try:
        found = litellm().get_model_info(model).get("max_input_tokens")
    except Exception:
        return None
    return int(found) if found else None


def unlimited(model: str) -> int:
    """Tokens to reckon with for an answer of `model` that is given no limit."""
    return output_limit(model) or _UNLIMITED


def room_in(extra: Mapping[str, Any]) -> int | None:
    """The limit of an answer that further parameters set by themselves; None where they set none."""
    return next((int(extra[name]) for name in ROOM if isinstance(extra.get(name), int)), None)


def _budget(extra: Mapping[str, Any]) -> int | None:
    """What further parameters say of thinking: in the forms of Anthropic, OpenRouter, Qwen and vLLM."""
    template = _mapping(extra.get("chat_template_kwargs"))
    if False in (extra.get("enable_thinking"), template.get("enable_thinking"), template.get("thinking")):
        return 0
    thinking, reasoning = _mapping(extra.get("thinking")), _mapping(extra.get("reasoning"))
    if thinking.get("type") == "disabled" or reasoning.get("enabled") is False:
        return 0
    for budget in (thinking.get("budget_tokens"), reasoning.get("max_tokens"), extra.get("thinking_budget")):
        if isinstance(budget, int):
            return max(0, budget)
    effort = reasoning.get("effort") or extra.get("reasoning_effort")
    if isinstance(effort, str):
        return _EFFORT.get(effort.lower(), _EFFORT[_USUAL])
    return _EFFORT[_USUAL] if thinking.get("type") in ("enabled", "adaptive") else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _bare(model: str) -> str:
    """The model's own name, without whoever serves it."""
    return model.rpartition("/")[2].lower()


@cache
def _thinking() -> frozenset[str]:
    return frozenset(_bare(name) for name, known in litellm().model_cost.items() if known.get("supports_reasoning"))
