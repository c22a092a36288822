"""The completion in the body of an answer of the OpenAI chat protocol, in every form that servers write it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from harness.llm.backend import Completion
from harness.llm.pricing.token_usage import Usd, cache_writes, token_usage
from harness.text import encodable

_FILTERED = (
    *("content_filter", "content-filter", "contentfilter", "safety", "recitation", "prohibited_content", "blocklist"),
    *("spii", "sensitive", "refusal", "guardrail_intervened"),
)
_CUT = ("length", "max_tokens", "max_output_tokens", "max_completion_tokens", "model_length", "context_length")
_FINISHES: dict[str, Literal["filtered", "length"]] = {
    **dict.fromkeys(_FILTERED, "filtered"),
    **dict.fromkeys((*_CUT, "model_context_window_exceeded"), "length"),
}
"""Why an answer ends, as OpenAI says it and as others do that call it so in their own words."""


def read_or_keep(text: str, answer: Any, usd: Usd, seconds: float) -> Completion:
    """The completion in the body `answer`; where none can be read, all of `text` with the reason, since whatever it is
    may have been paid for."""
    try:
        return read_answer(answer, usd, seconds)
    except Exception as error:
        unread = unreadable_completion(text, answer, usd, seconds)
        return replace(unread, fault=encodable(f"{type(error).__name__}: {error}")[:200])


def read_answer(answer: Mapping[str, Any], usd: Usd, seconds: float) -> Completion:
    """The completion in the body of an answer in OpenAI's form. Raises some exception where it is none."""
    choice = answer["choices"][0]
    reason, message = str(choice.get("finish_reason")), choice.get("message")
    if reason == "error":
        raise ValueError("the provider ended the answer with an error")
    if message is None and _FINISHES.get(reason.lower()) == "filtered":
        message = {}
    return read_completion(
        message,
        reason,
        answer.get("usage"),
        usd,
        seconds,
        str(answer.get("id") or ""),
        served=answer.get("model"),
        fingerprint=answer.get("system_fingerprint"),
    )


def unreadable_completion(text: str, answer: Any, usd: Usd, seconds: float) -> Completion:
    """What is no answer, kept as it came, with the tokens that it says it took; some page in its place says nothing of
    tokens and took none."""
    found = answer if isinstance(answer, Mapping) else {}
    empty = read_completion({}, "stop", found.get("usage"), usd, seconds, str(found.get("id") or ""))
    if empty.estimated:
        empty = replace(empty, output_tokens=0, usd=0.0, estimated=bool(found))
    return replace(empty, text=encodable(text), finish="unreadable")


def read_completion(
    message: Mapping[str, Any],
    finish: str,
    usage: Any,
    usd: Usd,
    seconds: float,
    provider_id: str,
    *,
    served: Any = None,
    fingerprint: Any = None,
) -> Completion:
    """A completion from the parts of an answer in OpenAI's form. Raises AttributeError or TypeError where it is
    none."""
    (said, thinking), refusal = _parts(message.get("content")), message.get("refusal")
    thoughts = _thoughts(message, thinking)
    tokens = token_usage(usage, said or str(refusal or ""), thoughts)
    return Completion(
        text=encodable(said or str(refusal or "")),
        finish="filtered" if refusal else _FINISHES.get(finish.lower(), "stop"),
        input_tokens=tokens.input,
        cached_tokens=tokens.cached,
        output_tokens=tokens.output,
        reasoning_tokens=tokens.reasoning or _thought(said, thoughts, tokens.output),
        usd=usd(tokens.input, tokens.cached, tokens.output, cache_writes(usage)),
        seconds=seconds,
        provider_id=encodable(provider_id),
        served=_name(served),
        fingerprint=_name(fingerprint),
        estimated=tokens.estimated,
    )


def _name(value: Any) -> str:
    """What a server calls itself; anything else than a text is nothing."""
    return encodable(value)[:200] if isinstance(value, str) else ""


def _parts(content: Any) -> tuple[str, str]:
    """What is said and what is thought in the content of a message: text, or typed parts of it, one or a list."""
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        return ("" if content is None else str(content)), ""
    said, thought = [], []
    for part in content:
        if not isinstance(part, Mapping):
            said.append("" if part is None else str(part))
        elif "thinking" in part or part.get("thought") or _THINKING.search(str(part.get("type"))):
            thought.append(json.dumps(part, ensure_ascii=False))
        else:
            # Some nest it once more: {"text": {"value": ...}}.
            inner = next((part[name] for name in ("text", "value", "content") if part.get(name) is not None), None)
            said.append(_parts(inner)[0])
    return "".join(said), "".join(thought)


_THINKING = re.compile(r"thinking|reasoning|thought", re.IGNORECASE)


def _thoughts(message: Mapping[str, Any], thinking: str) -> str:
    """What stands beside the answer as thinking."""
    beside = message.get("reasoning_content") or message.get("reasoning") or thinking
    return beside if isinstance(beside, str) else ""


def _thought(answer: str, thoughts: str, tokens: int) -> int:
    """Tokens of thinking where the provider does not count them: by their share of the characters."""
    inside = "" if thoughts else answer.rpartition("</think>")[0]
    whole = len(answer) + len(thoughts)
    return round(tokens * len(thoughts or inside) / whole) if whole else 0
