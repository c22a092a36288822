"""The OpenAI chat protocol over HTTP, without anything between: what most providers and every local server speak.

litellm says how a model is reached (harness/teachers/litellm.py); a call through it costs several milliseconds of this
machine's time, which is what limits the rate at many requests in flight, and this costs a tenth of that (make bench).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

import orjson

from harness._lazy import lazy
from harness.labelling.prompting.prompter import Request
from harness.llm.answers.body_errors import body_failure, decoded, is_error, parsed
from harness.llm.answers.completion_body import read_or_keep, unreadable_completion
from harness.llm.backend import Completion, FatalProviderError, RequestFailed
from harness.llm.pricing.token_usage import Usd, free
from harness.llm.retry_rules import TransientError, failure
from harness.llm.retrying import RetryingBackend
from harness.llm.wire.accepted_parameters import AcceptedParameters
from harness.llm.wire.chat_address import ChatAddress
from harness.llm.wire.environment_proxy import proxy_for
from harness.llm.wire.refused_parameter import SYSTEM
from harness.llm.wire.served_models import ServedModel, served_models
from harness.masking import masked, register_address, register_secret
from harness.stage import digest
from harness.text import encodable

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")

NO_KEY = "none"
"""Sent to servers that ask for no key."""

Body = dict[str, Any]


@dataclass
class OpenAIBackend(RetryingBackend):
    """A server that speaks the OpenAI protocol. `body` gives what a request says beside model and messages."""

    model: str
    """As the server calls it."""
    url: str
    """Up to and including ``/v1``, or in any other form that `ChatAddress` understands."""
    body: Callable[[Request], Body]
    key: str = field(default=NO_KEY, repr=False)
    usd: Usd = free
    timeout: float = 120.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request; where they name the same as a usual one, in its place."""
    accepted: AcceptedParameters = field(default_factory=AcceptedParameters)
    """What the server takes of a request; learned from what it refuses."""
    is_azure: bool = False
    """Whether the key goes in a header called ``api-key``; known of Azure's own hosts."""
    proxied: bool = True
    """Whether a proxy of the environment is asked; a server of our own is on this machine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        register_address(self.url)
        if self.key != NO_KEY:
            register_secret(self.key)

    @property
    def service(self) -> str:
        return digest([self.url, self.model])

    async def __aenter__(self) -> Self:
        self.address, credentials = split_address(self.url.strip())
        self._address = ChatAddress.of(self.address)
        self._proxy = self._proxy_options()
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0)
        limit = aiohttp.ClientTimeout(total=self.timeout)
        self._session = aiohttp.ClientSession(connector=connector, timeout=limit, headers=self._headers(credentials))
        return self

    def _proxy_options(self) -> dict[str, Any]:
        found = proxy_for(self._address.chat) if self.proxied else None
        if found is None:
            return {}
        if found.credentials:
            register_secret(found.credentials[1])
        return {"proxy": found.url, "proxy_auth": aiohttp.BasicAuth(*found.credentials) if found.credentials else None}

    def _headers(self, credentials: aiohttp.BasicAuth | None) -> dict[str, str]:
        authorization = f"Bearer {self.key}" if credentials is None else credentials.encode()
        is_azure = credentials is None and (self.is_azure or self._address.is_azure)
        key = {"api-key": self.key} if is_azure else {"Authorization": authorization}
        usual = {**key, "Content-Type": "application/json"}
        own = {name.lower() for name in self.headers}
        return {name: value for name, value in usual.items() if name.lower() not in own} | dict(self.headers)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def attempt(self, request: Request) -> Completion:
        messages = [{"role": role, "content": encodable(content)} for role, content in request.messages]
        body, trial = self.body(request), self.accepted.trial()
        system = any(role == SYSTEM for role, _ in request.messages)
        while True:
            start = time.monotonic()
            asked = {"model": self.model, "messages": trial.messages(messages), **trial.parameters(body)}
            status, headers, text = await self._post(asked)
            try:
                if not 200 <= status < 300:
                    raise failure(status, text, headers, self.model)
                completion = self._completion(text, headers, time.monotonic() - start)
            except (FatalProviderError, RequestFailed, TransientError):
                if trial.learn(400 if 200 <= status < 300 else status, text, body, system):
                    continue
                raise
            if completion.finish != "unreadable":
                trial.confirm()
            elif is_error(parsed(text)) and trial.learn(400, text, body, system):
                continue
            return completion

    async def served(self) -> list[ServedModel] | None:
        """What the server says that it serves; None where it does not list it. Raises TransientError where none
        answers."""
        try:
            async with self._session.get(self._address.models, **self._proxy) as response:
                text = await response.text(errors="replace")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TransientError(masked(f"{type(error).__name__}: {error}")) from error
        if response.status in (404, 405) and (below := self._address.versioned) is not None:
            self._address = below
            return await self.served()
        return served_models(text) if response.status == 200 else None

    async def _post(self, body: Body) -> tuple[int, Mapping[str, str], str]:
        """HTTP status, headers and text of the answer to `body`."""
        address, data = self._address, orjson.dumps(body)
        try:
            async with self._session.post(address.chat, data=data, **self._proxy) as response:
                text = decoded(await response.read(), response.charset)
        except TimeoutError as error:
            remedy = "raise the teacher's timeout, or run again later"
            raise TransientError(
                f"no answer within {self.timeout:g} seconds", remedy=remedy, may_be_billed=True
            ) from error
        except ValueError as error:
            raise FatalProviderError(
                masked(f"a request to '{self.model}' cannot be sent: {error}"), remedy="check api_base and the API key"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            was_sent = not isinstance(error, aiohttp.ClientConnectorError)
            raise TransientError(masked(f"{type(error).__name__}: {error}"), may_be_billed=was_sent) from error
        if response.status in (404, 405) and (below := address.versioned) is not None:
            # Only now is it known that the bare address is not where questions go.
            self._address = below
            return await self._post(body)
        return response.status, response.headers, text

    def _completion(self, text: str, headers: Mapping[str, str], seconds: float) -> Completion:
        answer = parsed(text)
        failed = body_failure(answer, headers, self.model)
        if failed is None:
            return read_or_keep(text, answer, self.usd, seconds)
        unreadable = unreadable_completion(text, answer, self.usd, seconds)
        if isinstance(failed, RequestFailed):
            failed.completion = unreadable
        if not (isinstance(failed, TransientError) and unreadable.output_tokens):
            raise failed
        return unreadable


def split_address(url: str) -> tuple[str, aiohttp.BasicAuth | None]:
    """An address without the user's name and password, and these, where it has any."""
    found = urlsplit(url)
    if found.username is None:
        return url, None
    host = found.netloc.rpartition("@")[2]
    credentials = aiohttp.BasicAuth(unquote(found.username), unquote(found.password or ""), "utf-8")
    return urlunsplit(found._replace(netloc=host)), credentials
