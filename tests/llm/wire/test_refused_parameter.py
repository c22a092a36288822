"""What servers say of a parameter that they do not take, as they say it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.llm.wire.refused_parameter import SYSTEM, Refusal, refusal

SENT: dict[str, Any] = {"temperature": 0.0, "max_tokens": 72, "seed": 3, "logprobs": True, "reasoning_effort": "low"}


def openai(message: str, param: str | None = None, code: str | None = None) -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}})


NEW = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
REFUSED = {
    "openai, o-series": (
        400,
        openai(NEW, "max_tokens", "unsupported_parameter"),
        ("max_tokens", "max_completion_tokens"),
    ),
    "the prose alone": (400, openai(NEW), ("max_tokens", "max_completion_tokens")),
    "openai, temperature": (
        400,
        openai(
            "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is "
            "supported.",
            "temperature",
            "unsupported_value",
        ),
        ("temperature", ""),
    ),
    "openai, old models": (
        400,
        openai("Unrecognized request argument supplied: reasoning_effort"),
        ("reasoning_effort", ""),
    ),
    "a validator": (
        422,
        json.dumps(
            {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
        ),
        ("seed", ""),
    ),
    "a validator in words": (
        400,
        openai("[{'type': 'extra_forbidden', 'loc': ('body', 'logprobs'), 'msg': 'Extra inputs are not permitted'}]"),
        ("logprobs", ""),
    ),
    "groq": (400, openai("property 'logprobs' is unsupported"), ("logprobs", "")),
    "gemini": (
        400,
        json.dumps(
            [
                {
                    "error": {
                        "code": 400,
                        "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.',
                    }
                }
            ]
        ),
        ("seed", ""),
    ),
    "anthropic": (400, "AnthropicException - temperature: Extra inputs are not permitted", ("temperature", "")),
    "thinking": (400, openai("`temperature` may only be set to 1 when thinking is enabled."), ("temperature", "")),
    "thinking that there is not": (
        400,
        json.dumps([{"error": {"code": 400, "message": "Thinking is not enabled for this model"}}]),
        ("reasoning_effort", ""),
    ),
    "ollama": (400, openai('"smollm" does not support thinking'), ("reasoning_effort", "")),
    "thinking elsewhere": (
        400,
        openai("When thinking is enabled, temperature may only be 1 for this model"),
        ("temperature", ""),
    ),
    "a moved name": (
        400,
        openai("Unsupported parameter: 'max_tokens'. This parameter has moved to 'max_output_tokens'."),
        ("max_tokens", "max_output_tokens"),
    ),
    "a validator of roles": (
        422,
        json.dumps({"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "value is not a valid enumeration"}]}),
        (SYSTEM, "user"),
    ),
    "deprecated": (400, openai("`temperature` is deprecated for this model."), ("temperature", "")),
    "xai": (400, openai("Argument not supported on this model: reasoningEffort"), ("reasoning_effort", "")),
    "tgi": (
        422,
        json.dumps({"error": "Input validation error: `temperature` must be strictly positive"}),
        ("temperature", ""),
    ),
    "mistral": (422, openai("'seed' is not a valid parameter, use 'random_seed' instead"), ("seed", "random_seed")),
    "a proxy": (
        400,
        openai("litellm.UnsupportedParamsError: openai does not support parameters: ['logprobs'], for model=m"),
        ("logprobs", ""),
    ),
    "no name that is new": (
        400,
        openai("max_tokens is not supported by this deployment"),
        ("max_tokens", "max_completion_tokens"),
    ),
    "o1": (
        400,
        openai("Unsupported value: 'messages[0].role' does not support 'system' with this model.", "messages[0].role"),
        (SYSTEM, "user"),
    ),
    "gemma": (400, openai("System role not supported"), (SYSTEM, "user")),
    "gemma, as 500": (500, "jinja2.exceptions.TemplateError: System role not supported", (SYSTEM, "user")),
    "mistral's template": (
        400,
        openai("Conversation roles must alternate user/assistant/user/assistant/..."),
        (SYSTEM, "user"),
    ),
    "google's gemma": (400, openai("Developer instruction is not enabled for models/gemma-3-27b-it"), (SYSTEM, "user")),
    "developer": (400, openai("Role 'system' is not supported, use 'developer' instead"), (SYSTEM, "developer")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_server_refuses_is_found_in_its_words(case: str) -> None:
    status, text, expected = REFUSED[case]

    assert refusal(status, text, SENT, system=True) == Refusal(*expected)


OTHER = {
    "too long": openai(
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens (8928 in "
        "the messages, 72 in max_tokens), which is not supported.",
        "max_tokens",
    ),
    "too long, vllm": openai(
        "'max_tokens' or 'max_completion_tokens' is too large: 72. This model's maximum context "
        "length is 4096 tokens and your request has 4090 input tokens"
    ),
    "too much room": openai(
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, "
        "only whereas you provided 100000.",
        "max_tokens",
    ),
    "a filter": openai("The prompt 'an unknown temperature' was filtered by content management policy."),
    "a wrong type": openai("Invalid type for 'seed': must be an integer between 0 and 10", "seed"),
    "another name": openai("Unrecognized request argument supplied: top_k"),
    "nothing": "Bad Request",
}


@pytest.mark.parametrize("case", OTHER)
def test_what_concerns_the_prompt_or_a_wrong_value_changes_nothing(case: str) -> None:
    assert refusal(400, OTHER[case], SENT, system=True) is None


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
def test_only_a_bad_request_is_about_parameters(status: int) -> None:
    assert refusal(status, openai(NEW, "max_tokens"), SENT, system=True) is None
