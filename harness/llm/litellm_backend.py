"""Requests through litellm itself, for providers with a protocol of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Completion
from harness.llm.openai_backend import Usd, read_completion
from harness.llm.providers import litellm
from harness.llm.retry_rules import TransientError, failure
from harness.llm.retrying import RetryingBackend


@dataclass
class LiteLLMBackend(RetryingBackend):
    """litellm translates; limits and retries are ours, so that they are the same for every provider."""

    model: str
    wanted: Callable[[Request], dict[str, Any]]
    extra: Mapping[str, Any]
    usd: Usd
    api_base: str | None = None
    timeout: float = 120.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await litellm().close_litellm_async_clients()

    async def attempt(self, request: Request) -> Completion:
        library = litellm()
        wanted = {key: value for key, value in self.wanted(request).items() if value is not None}
        start = time.monotonic()
        try:
            answer = await library.acompletion(
                model=self.model,
                messages=[{"role": role, "content": content} for role, content in request.messages],
                api_base=self.api_base,
                timeout=self.timeout,
                num_retries=0,
                max_retries=0,
                drop_params=True,
                **wanted,
                **self.extra,
            )
        except (library.Timeout, library.APIConnectionError) as error:
            raise TransientError(f"{type(error).__name__}: {error}") from error
        except Exception as error:
            status = getattr(error, "status_code", None)
            if not isinstance(status, int):
                raise
            headers = getattr(getattr(error, "response", None), "headers", None) or {}
            raise failure(status, str(error), dict(headers), self.model) from error
        choice, usage = answer.choices[0], answer.usage.model_dump() if answer.usage else {}
        return read_completion(
            choice.message.model_dump(),
            str(choice.finish_reason),
            usage,
            self.usd,
            time.monotonic() - start,
            str(answer.id or ""),
        )
