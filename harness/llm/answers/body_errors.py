"""Bodies that came with HTTP 200 and are no answer: an error inside, or nothing of the protocol at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.llm.answers.provider_reasons import account_remedy, prompt_reason
from harness.llm.backend import FatalProviderError, RequestFailed
from harness.llm.retry_rules import SHORTER, TransientError, failure, provider_words
from harness.masking import masked


def decoded(data: bytes, charset: str | None) -> str:
    """The text of a body, whatever its bytes are: UTF-8, as JSON has to be, else as its header says."""
    for encoding in ("utf-8-sig", charset):
        try:
            return data.decode(encoding or "utf-8-sig")
        except (UnicodeError, LookupError):
            continue
    return data.decode("utf-8", "replace")


def parsed(text: str) -> Any:
    """The JSON of a body, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def body_failure(
    answer: Any, headers: Mapping[str, str], model: str
) -> TransientError | FatalProviderError | RequestFailed | None:
    """What the error in the body of an answer means, as if it had come with its own HTTP status; None where there is
    none, or where it says nothing that decides."""
    if not isinstance(answer, Mapping) or (error := _error(answer)) is None:
        return None
    body = json.dumps({"error": error}, default=str)
    if (status := _status(error)) is not None:
        return failure(status, body, headers, model)
    words = provider_words(body)
    said = f"the provider of '{model}' answers with an error: {masked(words.strip())[:500]}"
    if reason := prompt_reason(400, words):
        return RequestFailed(said, remedy=SHORTER if reason == "too long" else None, reason=reason)
    remedy = account_remedy(words)
    return FatalProviderError(said, remedy=remedy) if remedy else None


def is_error(answer: Any) -> bool:
    """Whether the body of an answer is an error and nothing else, for which nobody pays."""
    return isinstance(answer, Mapping) and _error(answer) is not None and not answer.get("usage")


def _error(answer: Mapping[str, Any]) -> Any:
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    inside = first.get("error") if isinstance(first, Mapping) else None
    # Some servers send `error: null`, or an empty one, with every answer.
    return inside or (None if first else answer.get("error")) or None


def _status(error: Any) -> int | None:
    """The HTTP status that an error names."""
    if not isinstance(error, Mapping):
        return None
    named = [error.get(key) for key in ("code", "status", "status_code", "http_status")]
    numbers = [int(one) for one in named if isinstance(one, (int, str)) and str(one).isdecimal() and len(str(one)) == 3]
    return next((number for number in numbers if 400 <= number < 600), None)
