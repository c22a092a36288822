"""Any model that litellm names: OpenAI, Anthropic, Gemini, Bedrock, DeepSeek, a server of one's own, and a hundred
others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any

from pydantic import Field, field_validator

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend
from harness.llm.chat_teacher import TRANSPORT, ChatSettings, ChatTeacher
from harness.llm.litellm_backend import LiteLLMBackend
from harness.llm.openai_backend import OpenAIBackend
from harness.llm.provider_batch import ProviderBatch
from harness.llm.providers import ProviderPrice, parameters, price, route
from harness.llm.retrying import Limits
from harness.llm.token_counts import openai_tokens
from harness.plugins import Settings


class PriceSettings(Settings):
    """USD per million tokens."""

    input: float = Field(ge=0, description="input tokens")
    output: float = Field(ge=0, description="output tokens")
    cached: float | None = Field(
        None, ge=0, description="input tokens out of the provider's prompt cache; as dear as others when left out"
    )


class LiteLLMSettings(ChatSettings):
    """Which model, how it samples, how it is reached. API keys come from the environment only, under the names litellm
    uses."""

    model: str = Field(description="as litellm names it: PROVIDER/MODEL, e.g. openai/gpt-4.1-mini")
    revision: str = Field(
        "", description="a date or version of your own choice, for names that providers give to new models"
    )
    reasoning_effort: str | None = Field(
        None, description="for models that think: low, medium, high; give max_tokens room for thoughts"
    )
    extra: dict[str, Any] = Field({}, description="further parameters of the request, sent as they are")
    api_base: str | None = Field(
        None, description="URL of the server, when it is not the provider's own", json_schema_extra=TRANSPORT
    )
    concurrency: int = Field(
        32, ge=1, description="most requests in flight; complaints lower it", json_schema_extra=TRANSPORT
    )
    requests_per_minute: int | None = Field(None, ge=1, description="your account's limit", json_schema_extra=TRANSPORT)
    tokens_per_minute: int | None = Field(None, ge=1, description="your account's limit", json_schema_extra=TRANSPORT)
    timeout: float = Field(120, gt=0, description="seconds for one request", json_schema_extra=TRANSPORT)
    attempts: int = Field(
        10, ge=1, description="tries of one request before the labelling stops", json_schema_extra=TRANSPORT
    )
    batch: bool = Field(
        False, description="use the provider's batch API: half the price, within a day", json_schema_extra=TRANSPORT
    )
    batch_seconds: float = Field(
        30, gt=0, description="how often to ask whether a batch is ready", json_schema_extra=TRANSPORT
    )
    price: PriceSettings | None = Field(
        None,
        description="USD per million tokens {input, output, cached}; by default litellm's map",
        json_schema_extra=TRANSPORT,
    )

    @field_validator("extra")
    @classmethod
    def _no_secrets(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if secret := next((key for key in extra if "key" in key.lower() or "authorization" in key.lower()), None):
            raise ValueError(f"'{secret}' looks like a secret; keys come from the environment only")
        return extra


class LiteLLM(ChatTeacher):
    """Asks through an API, with many requests in flight, and pays for every answer once."""

    name = "litellm"
    summary = "any LLM behind an API, by its litellm name"
    source = "https://docs.litellm.ai/docs/providers"
    settings: LiteLLMSettings

    @property
    def model(self) -> str:
        return self.settings.model

    @property
    def weights(self) -> str:
        return f"{self.settings.model} {self.settings.revision}".strip()

    def sampling(self) -> dict[str, object]:
        own = {"reasoning_effort": self.settings.reasoning_effort, "extra": self.settings.extra}
        return super().sampling() | {key: value for key, value in own.items() if value}

    def unready(self) -> UserError | None:
        if self.settings.api_base is None:
            try:
                route(self.settings.model, None)
            except UserError as error:
                return error
        return None

    def open(self) -> AbstractAsyncContextManager[Backend]:
        settings = self.settings
        found = route(settings.model, settings.api_base)
        if settings.batch:
            return ProviderBatch(found, self._body, self._usd, settings.batch_seconds)
        limits = Limits(
            settings.concurrency, settings.attempts, settings.requests_per_minute, settings.tokens_per_minute
        )
        if found.url is None:
            return LiteLLMBackend(
                settings.model,
                self._wanted,
                settings.extra,
                self._usd,
                settings.api_base,
                settings.timeout,
                limits=limits,
            )
        return OpenAIBackend(found.name, found.url, self._body, found.key, self._usd, settings.timeout, limits=limits)

    def _wanted(self, request: Request) -> dict[str, Any]:
        return {
            "temperature": self.settings.temperature,
            "top_p": self.settings.top_p,
            "seed": self.settings.sampling_seed,
            "reasoning_effort": self.settings.reasoning_effort,
            "max_tokens": self.room(request),
        }

    def _body(self, request: Request) -> dict[str, Any]:
        room = self.room(request)
        if room not in self._bodies:
            found = route(self.settings.model, self.settings.api_base)
            self._bodies[room] = parameters(found.name, found.provider, self._wanted(request), self.settings.extra)
        return self._bodies[room]

    @cached_property
    def _bodies(self) -> dict[int, dict[str, Any]]:
        return {}

    @cached_property
    def price(self) -> ProviderPrice | None:
        """USD per token; None where neither the settings nor litellm say."""
        told = self.settings.price
        if told is None:
            return price(self.settings.model, self.settings.batch) if self.settings.api_base is None else None
        scale = 1e-6
        return ProviderPrice(
            told.input * scale, (told.input if told.cached is None else told.cached) * scale, told.output * scale
        )

    @property
    def priced(self) -> bool:
        return self.price is not None or self.settings.api_base is not None

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        return self._usd(input_tokens, 0, output_tokens)

    def _usd(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        return self.price.usd(input_tokens, cached_tokens, output_tokens) if self.price is not None else 0.0

    def count_tokens(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        counted = openai_tokens(self.settings.model, texts)
        return (counted, True) if counted is not None else super().count_tokens(texts)
