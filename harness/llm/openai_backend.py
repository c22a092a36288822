"""The OpenAI chat protocol over HTTP, without anything between: what most providers and every local server speak.

litellm says how a model is reached (harness/teachers/litellm.py); a call through it costs several milliseconds of this
machine's time, which is what limits the rate at many requests in flight, and this costs a tenth of that (make bench).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from harness._lazy import lazy
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Completion
from harness.llm.retry_rules import TransientError, failure
from harness.llm.retrying import RetryingBackend
from harness.text import encodable

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")

NO_KEY = "none"
"""Sent to servers that ask for no key."""

Body = dict[str, Any]
Usd = Callable[[int, int, int], float]
"""USD for (input, of these cached, output) tokens."""


def free(input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
    """The price of a model of one's own."""
    return 0.0


@dataclass
class OpenAIBackend(RetryingBackend):
    """A server that speaks the OpenAI protocol. `body` gives what a request says beside model and messages."""

    model: str
    """As the server calls it."""
    url: str
    """Up to and including ``/v1``."""
    body: Callable[[Request], Body]
    key: str = field(default=NO_KEY, repr=False)
    usd: Usd = free
    timeout: float = 120.0

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0)
        limit = aiohttp.ClientTimeout(total=self.timeout)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        self._place = f"{self.url.rstrip('/')}/chat/completions"
        self._session = aiohttp.ClientSession(connector=connector, timeout=limit, headers=headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def attempt(self, request: Request) -> Completion:
        messages = [{"role": role, "content": encodable(content)} for role, content in request.messages]
        start = time.monotonic()
        try:
            data = orjson.dumps({"model": self.model, "messages": messages, **self.body(request)})
            async with self._session.post(self._place, data=data) as response:
                text = await response.text(errors="replace")
                status, headers = response.status, response.headers
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TransientError(f"{type(error).__name__}: {error}") from error
        if status != 200:
            raise failure(status, self._discreet(text), headers, self.model)
        return self._completion(text, time.monotonic() - start)

    def _discreet(self, text: str) -> str:
        """What a provider says may hold the key it was given."""
        return text if self.key == NO_KEY else text.replace(self.key, "(the key)")

    def _completion(self, text: str, seconds: float) -> Completion:
        try:
            answer = json.loads(text)
            choice = answer["choices"][0]
            usage, reason = answer.get("usage") or {}, str(choice.get("finish_reason"))
            return read_completion(choice["message"], reason, usage, self.usd, seconds, str(answer.get("id") or ""))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise TransientError(f"not the OpenAI protocol: {text[:200]!r}") from error


def read_completion(
    message: Mapping[str, Any], finish: str, usage: Mapping[str, Any], usd: Usd, seconds: float, provider_id: str
) -> Completion:
    """A completion from the parts of an answer in OpenAI's form. Raises AttributeError or TypeError where it is
    none."""
    (said, thinking), refusal = _parts(message.get("content")), message.get("refusal")
    asked, given = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    cached = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    return Completion(
        text=encodable(said or refusal or ""),
        finish="filtered" if refusal or finish == "content_filter" else "length" if finish == "length" else "stop",
        input_tokens=asked,
        cached_tokens=cached,
        output_tokens=given,
        reasoning_tokens=int(reasoning) if reasoning is not None else _thought(message, said, thinking, given),
        usd=usd(asked, cached, given),
        seconds=seconds,
        provider_id=provider_id,
    )


def _parts(content: Any) -> tuple[str, str]:
    """What is said and what is thought in the content of a message: text, or a list of typed parts."""
    if not isinstance(content, list):
        return ("" if content is None else str(content)), ""
    said, thought = [], []
    for part in content:
        if isinstance(part, str):
            said.append(part)
        elif "thinking" in part or part.get("type") in ("thinking", "reasoning"):
            thought.append(json.dumps(part, ensure_ascii=False))
        else:
            said.append(str(part.get("text") or ""))
    return "".join(said), "".join(thought)


def _thought(message: Mapping[str, Any], answer: str, thinking: str, tokens: int) -> int:
    """Tokens of thinking where the provider does not count them: by their share of the characters."""
    beside = message.get("reasoning_content") or message.get("reasoning") or thinking
    beside = beside if isinstance(beside, str) else ""
    inside = "" if beside else answer.rpartition("</think>")[0]
    whole = len(answer) + len(beside)
    return round(tokens * len(beside or inside) / whole) if whole else 0
