"""A reader behind the OpenAI protocol: it repeats the first word of the first passage it is shown, and knows nothing by
heart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.llm.openai_server import Server

_FIRST = re.compile(r"^Passage 1: (\w+)", re.MULTILINE)
UNKNOWN = "No idea"


@dataclass
class ReadingServer(Server):
    """Says more around its answer than it was asked for."""

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        found = _FIRST.search(body["messages"][-1]["content"])
        self.answer = f'\nAnswer: "{found[1]}."\nAs the passage says.' if found else UNKNOWN
        return await super()._respond(request, body, fault)

    def teacher(self) -> dict[str, Any]:
        """What a sweep file says of it."""
        return {
            "kind": "litellm",
            "model": "openai/gpt-4.1-mini",
            "api_base": self.url,
            "price": {"input": 1, "output": 4},
        }
