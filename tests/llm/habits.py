"""A server with habits: a function decides what it answers to every request, at any path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.llm.openai_server import completion, permutation


@dataclass
class Asked:
    """One request as the server got it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for message in self.body["messages"])


Answer = tuple[int, Any]


@dataclass
class Habits:
    """What it answers: `answer` gives status and body for a request; `models` what it says that it serves."""

    answer: Callable[[Asked], Answer]
    models: list[dict[str, Any]] | None = None
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    """With the port, without any path."""


def good(asked: Asked, tokens: int | None = None) -> Answer:
    """The right answer."""
    counted = len(asked.text) // 4 if tokens is None else tokens
    return 200, completion(asked.body["model"], permutation(asked.body["messages"][-1]["content"]), "stop", counted)


def refuses(message: str, param: str | None = None, status: int = 400) -> Answer:
    return status, {"error": {"message": message, "type": "invalid_request_error", "param": param}}


def identifiers(text: str) -> list[int]:
    """The identifiers in brackets of a prompt, in their order."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", text)]


@contextmanager
def answering(answer: Callable[[Asked], Answer], models: list[dict[str, Any]] | None = None) -> Iterator[Habits]:
    habits = Habits(answer, models)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.path, {name.lower(): text for name, text in self.headers.items()}, json.loads(raw))
            habits.asked.append(asked)
            self._send(*habits.answer(asked))

        def do_GET(self) -> None:
            if habits.models is None or not self.path.partition("?")[0].endswith("/models"):
                self._send(404, {"error": {"message": "not found"}})
            else:
                self._send(200, {"data": habits.models})

        def _send(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    habits.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield habits
    finally:
        server.shutdown()
        server.server_close()
