"""A chat server whose answer to each request a function decides: status and body, as providers send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.llm.openai_server import Server, completion, permutation

Reply = tuple[int, Any]
"""HTTP status, and a body: bytes or text as they are, anything else as JSON."""


def right(body: dict[str, Any]) -> Reply:
    """The right answer to a listwise prompt."""
    prompt = body["messages"][-1]["content"]
    return 200, completion(body["model"], permutation(prompt), "stop", len(prompt) // 4)


def error(status: int, message: str, code: str = "") -> Reply:
    """An error as the OpenAI protocol has it."""
    return status, {"error": {"message": message, "code": code, "type": "invalid_request_error"}}


@dataclass
class Scripted(Server):
    """Answers with `script`, which is given the request's body."""

    script: Callable[[dict[str, Any]], Reply] = right
    content_type: str = "application/json"
    rows: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None
    """Of batches: the row for a line, whose ``error`` or status says in which file it is; None leaves it out."""
    ended: str = "completed"
    """How batches end."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    """What a batch says of itself."""

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        status, said = self.script(body)
        if isinstance(said, web.StreamResponse):
            return said
        data = (
            said if isinstance(said, bytes) else said.encode() if isinstance(said, str) else json.dumps(said).encode()
        )
        return web.Response(status=status, body=data, headers={"Content-Type": self.content_type})

    async def batch_state(self, request: web.Request) -> web.Response:
        if self.rows is None:
            return await super().batch_state(request)
        name = request.match_info["id"]
        source = self.batches[name]
        rows = [self.rows(json.loads(line)) for line in self.files[source].decode().splitlines()]
        good, bad = f"{name}-out", f"{name}-errors"
        held = {
            good: [row for row in rows if row and _answered(row)],
            bad: [row for row in rows if row and not _answered(row)],
        }
        for file, lines in held.items():
            self.files[file] = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
        common = {"object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h", "created_at": 1}
        files = {
            "output_file_id": good if held[good] else None,
            "error_file_id": bad if held[bad] else None,
        }
        errors = {"errors": {"object": "list", "data": self.errors}} if self.errors else {}
        return web.json_response(
            {"id": name, "input_file_id": source, "status": self.ended, **files, **errors, **common}
        )


def _answered(row: dict[str, Any]) -> bool:
    return not row.get("error") and (row.get("response") or {}).get("status_code") == 200
