"""A chat model through vLLM: in a server that the harness starts and stops, in this process, or in a server that runs
already."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.device import Resources
from harness.errors import UserError
from harness.labelling.labels.failure_guard import TRANSPORT
from harness.labelling.prompting.prompter import Request
from harness.labelling.prompting.text_cut import CountTokens
from harness.llm.backend import Backend
from harness.llm.batched_engine import Batched
from harness.llm.chat_teacher import seed_of
from harness.llm.endpoints.lent_server import LentServer
from harness.llm.guided_decoding import constraint
from harness.llm.local_model import LocalChat, LocalSettings
from harness.llm.local_weights import causal_folder
from harness.llm.server_process import find_command
from harness.llm.servers import ManagedServer, RemoteServer, address
from harness.llm.vllm_command import REMEDY, VLLMLoad, environment
from harness.llm.vllm_engine import VLLMEngine
from harness.llm.wire.accepted_parameters import AcceptedParameters
from harness.llm.wire.chat_address import ChatAddress
from harness.stage import digest
from harness.validation import Fault, failure

_GUIDES = ("structured_outputs", "vllm_xargs", "chat_template_kwargs")
"""Parameters that hold answers to a form or a way of thinking: without them they would be other answers."""


class VLLMSettings(LocalSettings, VLLMLoad):
    """Which model, how vLLM runs it, how it is asked."""

    model: str = Field(
        "bundled:smollm2-135m",
        description="chat model: bundled:NAME, a folder, or a Hugging Face id; with url, what the server calls it",
    )
    mode: Literal["server", "engine", "url"] = Field(
        "server",
        description="server: started for the labelling, once a sweep, and stopped after it; engine: in this process; "
        "url: one that runs already",
        json_schema_extra=TRANSPORT,
    )
    url: str | None = Field(None, description="of a running server, e.g. http://HOST:8000", json_schema_extra=TRANSPORT)
    revision: str = Field(
        "", description="with url: a date or version of your own choice, since the server's weights are not seen"
    )

    @model_validator(mode="before")
    @classmethod
    def _elsewhere(cls, values: Any) -> Any:
        return {"mode": "url", **values} if isinstance(values, dict) and values.get("url") else values

    @field_validator("url")
    @classmethod
    def _an_address(cls, address: str | None) -> str | None:
        if address is not None:
            try:
                ChatAddress.of(address, "url")
            except UserError as error:
                raise failure([Fault((), error.message, error.remedy)]) from error
        return address

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if (self.mode == "url") != (self.url is not None):
            raise ValueError("mode: url and a url belong together")
        return self


class VLLM(LocalChat):
    """Asks a model that vLLM runs, with many requests in flight and prefixes shared between them."""

    name = "vllm"
    summary = "local chat model through vLLM, as a server or in this process"
    source = "Kwon et al., arXiv 2309.06180; https://docs.vllm.ai"
    settings: VLLMSettings

    @property
    def weights(self) -> str:
        if self.settings.mode == "url":
            return f"served {self.settings.model} {self.settings.revision}".strip()
        return super().weights

    @property
    def asked_at(self) -> tuple[str, str] | None:
        settings = self.settings
        if settings.url is None or "revision" in settings.model_fields_set:
            return None
        return self.weights, address(settings.url)

    @property
    def is_named(self) -> bool:
        # A hub's name is ORGANISATION/MODEL.
        return "/" in self.settings.model

    def sampling(self) -> dict[str, object]:
        return super().sampling() | self.settings.key()

    @property
    def resources(self) -> Resources:
        if self.settings.url is not None:
            return Resources(cpu=0, memory=0.25, slots=(self.settings.url,))
        if self.settings.mode == "engine":
            return super().resources
        mark = self.settings.mark(self.weights, self.settings.model, self._base, self.settings.guided)
        return self.settings.shared(super().resources, mark)

    @property
    def own_tokens(self) -> CountTokens | None:
        return None if self.settings.mode == "url" else super().own_tokens

    def count_tokens(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        if self.settings.mode == "url":
            # The base class's estimate: the server's tokenizer need not be here.
            return super(LocalChat, self).count_tokens(texts)
        return super().count_tokens(texts)

    @property
    def context_limit(self) -> int | None:
        return self.settings.max_model_len or (None if self.settings.mode == "url" else super().context_limit)

    @property
    def is_started_for_asking(self) -> bool:
        return self.settings.mode != "url"

    def unready(self) -> UserError | None:
        try:
            if self.settings.mode == "server":
                find_command(shlex.split(self.settings.command), self._base, REMEDY)
        except UserError as error:
            return error
        if self.settings.mode == "engine" and find_spec("vllm") is None:
            return UserError("vLLM is not installed here", key="mode", remedy=REMEDY)
        return None

    @cached_property
    def accepted(self) -> AcceptedParameters:
        # A server of our own is as its settings are, and forgets with them.
        told = digest([self.weights, self.settings.url]) if self.settings.url is not None else ""
        return AcceptedParameters(told, _GUIDES)

    def open(self) -> AbstractAsyncContextManager[Backend]:
        settings = self.settings
        reached: dict[str, Any] = {
            "key": settings.api_key,
            "timeout": settings.timeout,
            "limits": settings.limits,
            "accepted": self.accepted,
        }
        if settings.url is not None:
            address = ChatAddress.of(settings.url, "url").below_version
            return RemoteServer(settings.model, address, self._body, **reached)
        if settings.mode == "engine":
            return Batched(self._engine, settings.concurrency)
        launch = settings.launch(self.weights, self._folder, settings.model, self._base, settings.guided)
        return ManagedServer(model=settings.model, body=self._body, server=LentServer(launch), **reached)

    @cached_property
    def _folder(self) -> Any:

        return causal_folder(self.files)

    def _engine(self) -> Any:

        own = {key: value for key, value in self.settings.options(self._folder).items() if value is not None}
        if self.settings.guided:
            os.environ.update(VLLM_USE_V2_MODEL_RUNNER=environment(True)["VLLM_USE_V2_MODEL_RUNNER"])
            own["logits_processors"] = ["harness.llm._in_vllm:Guided"]
        return VLLMEngine(own, self._body, REMEDY)

    def _body(self, request: Request) -> dict[str, Any]:
        settings = self.settings
        body: dict[str, Any] = {
            "temperature": settings.temperature,
            "top_p": 1.0 if settings.top_p is None else settings.top_p,
            "max_tokens": self.output_limit(request),
        }
        if (seed := seed_of(request, settings.sampling_seed)) is not None:
            body["seed"] = seed
        if settings.template:
            body["chat_template_kwargs"] = settings.template
        return body | (constraint(request.answer, settings.mode != "url") if settings.guided else {})
