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
from harness.llm.openai_backend import OpenAIBackend
from harness.llm.retry_rules import TransientError
from harness.llm.server_process import Server

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
    """A server of our own."""

    server: Server
    proxied: bool = False

    async def __aenter__(self) -> Self:
        await self.server.start()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Asked before it is stopped: one that ended by itself has something to say.
        lost = self.server.died()
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self.server.stop(keep_log=lost)

    async def attempt(self, request: Request) -> Completion:
        try:
            return await super().attempt(request)
        except TransientError:
            if self.server.died():
                raise self.server.failure("the server ended while it was asked") from None
            raise


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
