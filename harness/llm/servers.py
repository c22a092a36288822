"""Requests to a server that speaks the OpenAI protocol: one of our own, started and stopped around them, or one that
runs already."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from harness._lazy import lazy
from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Completion
from harness.llm.endpoints.lent_server import LentServer
from harness.llm.openai_backend import OpenAIBackend
from harness.llm.wire.chat_address import ChatAddress

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")


def address(url: str) -> str:
    """Where a server is, without what an address may hold beside that (a password, a query)."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = {"localhost": "127.0.0.1"}.get(parts.hostname or "", parts.hostname or url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return f"{host}:{port}{parts.path.rstrip('/').removesuffix('/v1')}"


@dataclass(kw_only=True)
class ManagedServer(OpenAIBackend):
    """A server of our own, which the other stages of a sweep may be asking too. One that ends under way is started
    anew, and what was in flight asked again."""

    url: str = ""
    server: LentServer
    proxied: bool = False

    @property
    def service(self) -> str:
        return self.server.launch.mark

    async def __aenter__(self) -> Self:
        await self.server.open_async()
        self.key = self.server.endpoint.key
        self._direct()
        try:
            return await super().__aenter__()
        except BaseException:
            self.server.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self.server.close()

    async def attempt(self, request: Request) -> Completion:
        async def ask() -> Completion:
            self._direct()
            return await OpenAIBackend.attempt(self, request)

        return await self.server.persist(ask)

    def _direct(self) -> None:
        """Ask where the server is now."""
        self.url = f"{self.server.endpoint.url}/v1"
        self._address = ChatAddress.of(self.url)


@dataclass(kw_only=True)
class RemoteServer(OpenAIBackend):
    """A server that somebody else runs; looked at before anything is asked."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        try:
            names = await self._names()
        except BaseException:
            await self._session.close()
            raise
        if self.model not in names:
            await self._session.close()
            raise UserError(
                f"the server at {self.address} does not serve '{self.model}'",
                key="model",
                remedy=f"it serves: {', '.join(names)}",
            )
        return self

    async def _names(self) -> list[str]:
        try:
            async with self._session.get(self._address.models, **self._proxy) as response:
                return [str(model["id"]) for model in json.loads(await response.text())["data"]]
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, LookupError, TypeError) as error:
            raise UserError(
                f"no OpenAI-compatible server answers at {self.address}: {type(error).__name__}",
                key="url",
                remedy="start it (vllm serve MODEL), or let the harness start one: mode: server",
            ) from error
