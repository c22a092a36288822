"""Any model that litellm names: OpenAI, Anthropic, Gemini, Bedrock, DeepSeek, a server of one's own, and a hundred
others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from harness.errors import UserError
from harness.labelling.labels.failure_guard import TRANSPORT
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend
from harness.llm.chat_teacher import ChatSettings, ChatTeacher, seed_of
from harness.llm.litellm_backend import LiteLLMBackend
from harness.llm.openai_backend import NO_KEY, OpenAIBackend
from harness.llm.pricing.provider_price import PriceSettings, ProviderPrice, price, says_which_model
from harness.llm.pricing.tariff import answers_in
from harness.llm.pricing.token_usage import Usd, free
from harness.llm.provider_batch import ProviderBatch
from harness.llm.providers import parameters, provider_of, route
from harness.llm.retrying import Limits
from harness.llm.servers import address
from harness.llm.token_counts import openai_tokens
from harness.llm.wire.accepted_parameters import AcceptedParameters
from harness.llm.wire.chat_address import ChatAddress, native_address
from harness.llm.wire.dropped_parameters import dropped_parameters
from harness.llm.wire.header_values import fault_in, header_values
from harness.llm.wire.refused_parameter import ROOM, SYSTEM
from harness.llm.wire.thinking_models import context_limit, room_in, thinking_room, unlimited
from harness.stage import digest
from harness.validation import Fault, failure

Omittable = Literal["temperature", "top_p", "seed", "reasoning_effort", "max_tokens", "max_completion_tokens", "system"]

_OPENAI_LIKE = frozenset({"openai", "azure", "hosted_vllm", "lm_studio", "litellm_proxy", "llamafile"})
"""Providers whose servers are asked in OpenAI's form, at whatever address."""


class LiteLLMSettings(ChatSettings):
    """Which model, how it samples, how it is reached. API keys come from the environment only, under the names litellm
    uses."""

    model: str = Field(description="as litellm names it: PROVIDER/MODEL, e.g. openai/gpt-4.1-mini")
    revision: str = Field(
        "",
        description="a date or version of your own choice, for names that providers give to new models, and for "
        "servers of your own that give one name to several",
    )
    reasoning_effort: str | None = Field(
        None, description="for models that think: low, medium, high; give max_tokens room for thoughts"
    )
    extra: dict[str, Any] = Field(
        {}, description="further parameters of the request, sent as they are; null takes one out, as omit does"
    )
    omit: list[Omittable] = Field([], description="parameters that are not sent; system goes before the user's message")
    api_base: str | None = Field(
        None,
        description="URL of the server, when it is not the provider's own: http://HOST:PORT/v1, or the whole path of "
        "its chat endpoint, with ?api-version= where it wants one",
        json_schema_extra=TRANSPORT,
    )
    headers: dict[str, str] = Field(
        {},
        description="further headers; ${NAME} in a value is taken from the environment",
        json_schema_extra=TRANSPORT,
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

    @field_validator("extra", "headers")
    @classmethod
    def _no_secrets(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if fault := fault_in(values, of_headers=info.field_name == "headers"):
            raise ValueError(fault)
        return values

    @field_validator("api_base")
    @classmethod
    def _reachable(cls, address: str | None, info: ValidationInfo) -> str | None:
        if address is not None:
            provider = str(info.data.get("model", "")).partition("/")[0]
            try:
                ChatAddress.of(address, is_own_protocol=provider not in _OPENAI_LIKE)
            except UserError as error:
                raise failure([Fault((), error.message, error.remedy)]) from error
        return address


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
        own = {
            "reasoning_effort": self.settings.reasoning_effort,
            "extra": self.settings.extra,
            "omit": sorted(self.settings.omit),
        }
        return super().sampling() | {key: value for key, value in own.items() if value}

    def unready(self) -> UserError | None:
        try:
            header_values(self.settings.headers)
            found = route(self.settings.model, self.settings.api_base)
        except UserError as error:
            return error
        own = {name.lower() for name in self.settings.headers}
        if found.provider == "azure" and found.key == NO_KEY and not own & {"api-key", "authorization"}:
            return UserError(
                f"the model '{self.model}' needs AZURE_API_KEY in the environment", remedy="export AZURE_API_KEY=..."
            )
        return None

    def output_limit(self, request: Request) -> int:
        settings = self.settings
        if (own := room_in(settings.extra)) is not None:
            return own
        if self._omitted & {*ROOM}:
            return unlimited(settings.model)
        return super().output_limit(request)

    @property
    def context_limit(self) -> int | None:
        return context_limit(self.settings.model)

    @cached_property
    def thinking_tokens(self) -> int:
        # An effort that is not sent, because the model takes none such, says nothing.
        effort = None if "reasoning_effort" in self._dropped else self.settings.reasoning_effort
        return thinking_room(self.settings.model, effort, self.settings.extra)

    def parameters_described(self) -> dict[str, str]:
        return dict.fromkeys(self._dropped, "not sent (litellm: the model takes none)") | super().parameters_described()

    @cached_property
    def _dropped(self) -> list[str]:
        """Parameters that litellm leaves out for this model."""
        wanted = self._sampled | {"max_tokens": 1}
        return dropped_parameters(*provider_of(self.settings.model, self.settings.api_base), wanted)

    @cached_property
    def accepted(self) -> AcceptedParameters:
        initial = {SYSTEM: "user"} if SYSTEM in self._omitted else {}
        return AcceptedParameters(digest([self.weights, self.settings.api_base, sorted(self._omitted)]), (), initial)

    def open(self) -> AbstractAsyncContextManager[Backend]:
        settings = self.settings
        found = route(settings.model, settings.api_base)
        headers = header_values(settings.headers)
        if settings.batch:
            if found.url is not None and (query := ChatAddress.of(found.url).query):
                raise UserError(
                    f"the batch API cannot be asked at an address with '{query}'",
                    key="batch",
                    remedy="leave out batch: true",
                )
            return ProviderBatch(found, self._body, self._usd, settings.batch_seconds, headers, self.accepted)
        limits = Limits(
            settings.concurrency, settings.attempts, settings.requests_per_minute, settings.tokens_per_minute
        )
        if found.url is None:
            return LiteLLMBackend(
                settings.model,
                self._wanted,
                self._extra,
                self._usd,
                native_address(found.provider, settings.api_base),
                settings.timeout,
                headers,
                self.accepted,
                limits=limits,
            )
        return OpenAIBackend(
            found.name,
            found.url,
            self._body,
            found.key,
            self._usd,
            settings.timeout,
            headers,
            self.accepted,
            is_azure=found.provider == "azure",
            limits=limits,
        )

    @cached_property
    def _omitted(self) -> set[str]:
        """What is not sent, whoever asks for it."""
        return {*self.settings.omit, *(name for name, value in self.settings.extra.items() if value is None)}

    @property
    def _extra(self) -> dict[str, Any]:
        return {name: value for name, value in self.settings.extra.items() if value is not None}

    @property
    def _sampled(self) -> dict[str, Any]:
        """What does not depend on the request, in OpenAI's terms."""
        settings = self.settings
        wanted = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "seed": settings.sampling_seed,
            "reasoning_effort": settings.reasoning_effort,
        }
        return {name: value for name, value in wanted.items() if name not in self._omitted}

    def _wanted(self, request: Request) -> dict[str, Any]:
        """The parameters of `request`, in OpenAI's terms."""
        omitted, wanted = self._omitted, self._sampled
        if "seed" not in omitted:
            wanted["seed"] = seed_of(request, self.settings.sampling_seed)
        if not omitted & {*ROOM} and room_in(self.settings.extra) is None:
            wanted["max_tokens"] = self.output_limit(request)
        return wanted

    def _body(self, request: Request) -> dict[str, Any]:
        which = (self.output_limit(request), seed_of(request, self.settings.sampling_seed))
        if which not in self._bodies:
            found = route(self.settings.model, self.settings.api_base)
            body = parameters(found.name, found.provider, self._wanted(request), self._extra)
            self._bodies[which] = {name: value for name, value in body.items() if name not in self._omitted}
        return self._bodies[which]

    @cached_property
    def _bodies(self) -> dict[tuple[int, int | None], dict[str, Any]]:
        return {}

    @cached_property
    def price(self) -> ProviderPrice | None:
        """USD per token; None where neither the settings nor litellm say."""
        if (own := self.settings.price) is not None:
            return own.per_token
        return price(self.settings.model, self.settings.batch, self.settings.api_base is not None)

    @property
    def priced(self) -> bool:
        return self.price is not None

    @property
    def asked_at(self) -> tuple[str, str] | None:
        base = self.settings.api_base
        if "revision" in self.settings.model_fields_set:
            return None
        return self.weights, "the provider's own address" if base is None else address(base)

    @cached_property
    def is_named(self) -> bool:
        return self.settings.api_base is None or says_which_model(self.settings.model)

    def most_output(self, request: Request) -> int:
        return super().most_output(request) * answers_in(self.settings.extra)

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        return self._usd(input_tokens, 0, output_tokens)

    def most_usd(self, input_tokens: int, output_tokens: int) -> float:
        return 0.0 if self.price is None else self.price.most(input_tokens, output_tokens, self.settings.extra)

    @property
    def _usd(self) -> Usd:
        return self.price.usd if self.price is not None else free

    def count_tokens(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        counted = openai_tokens(self.settings.model, texts)
        return (counted, True) if counted is not None else super().count_tokens(texts)
