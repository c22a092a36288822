"""Requests through litellm itself, for providers with a protocol of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.llm.answers.completion_body import read_or_keep
from harness.llm.backend import Completion
from harness.llm.pricing.token_usage import Usd
from harness.llm.providers import litellm
from harness.llm.retry_rules import TransientError, failure
from harness.llm.retrying import RetryingBackend
from harness.llm.wire.accepted_parameters import AcceptedParameters
from harness.llm.wire.refused_parameter import SYSTEM
from harness.masking import masked, register_address
from harness.stage import digest
from harness.text import encodable

_PARAMETERS = (400, 422, 500)
"""Statuses with which a part of the request may be refused."""


@dataclass
class LiteLLMBackend(RetryingBackend):
    """litellm translates; limits and retries are ours, so that they are the same for every provider."""

    model: str
    wanted: Callable[[Request], dict[str, Any]]
    extra: Mapping[str, Any]
    usd: Usd
    api_base: str | None = None
    timeout: float = 120.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    accepted: AcceptedParameters = field(default_factory=AcceptedParameters)
    """What the server takes of a request; learned from what it refuses."""

    def __post_init__(self) -> None:
        super().__post_init__()
        register_address(self.api_base or "")

    @property
    def service(self) -> str:
        return digest([self.api_base, self.model])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await litellm().close_litellm_async_clients()

    async def attempt(self, request: Request) -> Completion:
        messages = [{"role": role, "content": encodable(content)} for role, content in request.messages]
        wanted = {key: value for key, value in self.wanted(request).items() if value is not None} | dict(self.extra)
        trial = self.accepted.trial()
        while True:
            start = time.monotonic()
            try:
                answer = await self._answer(trial.messages(messages), trial.parameters(wanted))
            except _Refused as refused:
                system = any(role == SYSTEM for role, _ in request.messages)
                if trial.learn(refused.status, str(refused), wanted, system):
                    continue
                raise _failure(refused.error, self.model) from refused.error
            trial.confirm()
            return self._completion(answer, time.monotonic() - start)

    async def _answer(self, messages: list[dict[str, str]], wanted: Mapping[str, Any]) -> Any:
        library, call = litellm(), dict(wanted)
        if self.headers:
            call["extra_headers"] = {**(call.get("extra_headers") or {}), **self.headers}
        try:
            return await library.acompletion(
                model=self.model,
                messages=messages,
                api_base=self.api_base,
                timeout=self.timeout,
                num_retries=0,
                max_retries=0,
                drop_params=True,
                **call,
            )
        except Exception as error:
            if (status := getattr(error, "status_code", None)) in _PARAMETERS:
                raise _Refused(int(status), error) from error
            raise _failure(error, self.model) from error

    def _completion(self, answer: Any, seconds: float) -> Completion:
        body: Any = answer.model_dump() if isinstance(answer, BaseModel) else None
        text = repr(answer) if body is None else json.dumps(body, ensure_ascii=False, default=str)
        return read_or_keep(text, body, self.usd, seconds)


class _Refused(Exception):
    """An exception of litellm that may be about a part of the request."""

    def __init__(self, status: int, error: Exception) -> None:
        super().__init__(str(error))
        self.status, self.error = status, error


def _failure(error: Exception, model: str) -> Exception:
    """What an exception of litellm means; the words of the provider are in it."""
    library = litellm()
    if isinstance(error, UserError):
        return error
    if isinstance(error, library.Timeout):
        remedy = "raise the teacher's timeout, or run again later"
        return TransientError(masked(f"{error}"), remedy=remedy, may_be_billed=True)
    status = getattr(error, "status_code", None)
    if isinstance(error, library.APIConnectionError) or not isinstance(status, int):
        return TransientError(masked(f"{type(error).__name__}: {error}"), may_be_billed=True)
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    return failure(status, str(error), dict(headers), model)
