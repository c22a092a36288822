"""A real HTTP server that speaks the OpenAI chat protocol, with faults at will. Passages that
read ``rank 7 ...`` are ordered by it."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

FAULTS = ("429", "500", "hang", "close", "truncated", "empty", "garbage", "refused")
_SHOWN = re.compile(r"^\[(\d+)\] rank (\d+)", re.MULTILINE)
_NUMBERS = re.compile(r"^\[(\d+)\] ", re.MULTILINE)


@dataclass
class Server:
    """What it answers, and what it has seen. `faults` happen to a share `rate` of the requests."""

    latency: float = 0.0
    faults: Sequence[str] = ()
    rate: float = 0.0
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)
    answer: str | None = None
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    """How often each prompt got an answer that was paid for and well-formed."""
    bill: list[tuple[int, int]] = field(default_factory=list)
    """Input and output tokens of every answer, whatever it was: what a provider has paid for."""
    batches: dict[str, str] = field(default_factory=dict)
    """Input file of every batch."""
    files: dict[str, bytes] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            body = await request.json()
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
            await self._wait(request)
            if self.status != 200:
                return web.json_response({"error": self.error}, status=self.status)
            fault = self._random.choice(self.faults) if self.faults and self._random.random() < self.rate else "none"
            self.outcomes[fault] += 1
            return await self._respond(request, body, fault)
        finally:
            self.in_flight -= 1

    async def anthropic(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if self.status != 200:
            return web.json_response(
                {"type": "error", "error": {"type": "authentication_error", **self.error}}, status=self.status
            )
        content = body["messages"][-1]["content"]
        prompt = content if isinstance(content, str) else content[0]["text"]
        said = [{"type": "text", "text": permutation(prompt)}]
        usage = {"input_tokens": len(prompt) // 4, "output_tokens": 20}
        return web.json_response(
            {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "c",
                "content": said,
                "stop_reason": "end_turn",
                "usage": usage,
            }
        )

    async def file(self, request: web.Request) -> web.Response:
        form = await request.post()
        content = form["file"]
        assert isinstance(content, web.FileField)
        name = f"file-{len(self.files)}"
        self.files[name] = content.file.read()
        return web.json_response(_file(name, len(self.files[name])))

    async def content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    async def batch(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = f"batch-{len(self.batches)}"
        self.batches[name] = body["input_file_id"]
        return web.json_response(_batch(name, body["input_file_id"], "in_progress", None))

    async def batch_state(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        source = self.batches[name]
        lines = [json.loads(line) for line in self.files[source].decode().splitlines()]
        self.files[f"{name}-out"] = "\n".join(json.dumps(_answered(line)) for line in lines).encode()
        return web.json_response(_batch(name, source, "completed", f"{name}-out"))

    async def _wait(self, request: web.Request) -> None:
        """For `latency` seconds; requests that wait already heed what it is changed to, and end with their asker."""
        started = time.monotonic()
        while (rest := started + self.latency - time.monotonic()) > 0:
            await asyncio.sleep(min(1.0, rest))
            if rest > 1 and request.transport is None:
                raise asyncio.CancelledError

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        prompt = body["messages"][-1]["content"]
        right = self.answer if self.answer is not None else permutation(prompt)
        if fault == "429":
            return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "0.05"})
        if fault == "500":
            return web.json_response({"error": {"message": "oops"}}, status=500)
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "close":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault == "garbage":
            return web.Response(text="<html>gateway</html>")
        if fault == "none":
            self.answered[prompt] += 1
        text, finish = {
            "truncated": (right[: len(right) // 2], "length"),
            "empty": ("", "stop"),
            "refused": ("", "content_filter"),
        }.get(fault, (right, "stop"))
        answer = completion(body["model"], text, finish, len(prompt) // 4)
        self.bill.append((answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]))
        return web.json_response(answer)

    def billed(self, input_price: float, output_price: float) -> float:
        """USD of all answers at prices per million tokens."""
        return sum(asked * input_price + said * output_price for asked, said in self.bill) / 1e6


def _file(name: str, size: int) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": size,
        "created_at": 1,
        "filename": "x.jsonl",
        "purpose": "batch",
        "status": "processed",
    }


def _batch(name: str, source: str, status: str, out: str | None) -> dict[str, Any]:
    common = {"object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h", "created_at": 1}
    return {"id": name, "input_file_id": source, "status": status, "output_file_id": out, **common}


def _answered(line: dict[str, Any]) -> dict[str, Any]:
    body = line["body"]
    prompt = body["messages"][-1]["content"]
    answer = completion(body["model"], permutation(prompt), "stop", len(prompt) // 4)
    return {"id": "r", "custom_id": line["custom_id"], "response": {"status_code": 200, "body": answer}, "error": None}


def permutation(prompt: str) -> str:
    """The right answer to a listwise prompt over passages that say their rank; others as they are shown."""
    shown = sorted((int(rank), int(number)) for number, rank in _SHOWN.findall(prompt))
    shown = shown or [(0, int(number)) for number in _NUMBERS.findall(prompt)]
    return " > ".join(f"[{number}]" for _, number in shown)


def completion(model: str, text: str, finish: str, tokens: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = {
        "prompt_tokens": tokens,
        "completion_tokens": max(1, len(text) // 2),
        "total_tokens": tokens + len(text) // 2,
    }
    choice = {"index": 0, "finish_reason": finish, "message": message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run `server` in a thread of its own; its `url` ends in /v1."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=10**8)
        app.router.add_post("/v1/chat/completions", server.chat)
        app.router.add_post("/v1/messages", server.anthropic)
        app.router.add_post("/v1/files", server.file)
        app.router.add_get("/v1/files/{id}/content", server.content)
        app.router.add_post("/v1/batches", server.batch)
        app.router.add_get("/v1/batches/{id}", server.batch_state)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


if __name__ == "__main__":
    import sys

    with serving(Server(latency=float(sys.argv[1]))) as running:
        print(json.dumps({"url": running.url}), flush=True)
        threading.Event().wait()
