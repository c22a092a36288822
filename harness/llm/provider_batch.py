"""Providers' batch APIs: everything that can be asked now goes in one file, answered within a day, mostly at half the
price.

What was sent is noted on disk before anything is awaited, so a run that was killed goes on waiting for the same batch.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.errors import UserError
from harness.files import atomic_file, cache_home
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend, Completion, FatalProviderError
from harness.llm.openai_backend import Body, Usd, read_completion
from harness.llm.providers import Route, litellm

_QUIET = 0.5
"""Seconds without a new request after which those that wait make a batch."""
_LARGEST = 50_000
"""Requests that one batch of OpenAI may hold."""
_OVER = ("failed", "expired", "cancelled")


class ProviderBatch(Backend):
    """Gathers requests, sends them as one batch, waits. `every` is how often (seconds) it asks whether the batch is
    ready."""

    concurrency = _LARGEST

    def __init__(self, route: Route, body: Callable[[Request], Body], usd: Usd, every: float) -> None:
        self._route, self._body, self._usd, self._every = route, body, usd, every
        self._notes = cache_home() / "batches"
        self._waiting: dict[str, tuple[Body, asyncio.Future[Completion]]] = {}
        self._sender: asyncio.Task[None] | None = None
        self._done: set[Path] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sender is not None:
            self._sender.cancel()
        # Only now: until here what came out of a batch may not be in the ledger yet.
        for note in self._done:
            note.unlink(missing_ok=True)

    async def complete(self, request: Request) -> Completion:
        messages = [{"role": role, "content": content} for role, content in request.messages]
        body = {"model": self._route.name, "messages": messages, **self._body(request)}
        mark = hashlib.sha256(json.dumps([self._route.url, body, request.repeat], sort_keys=True).encode()).hexdigest()
        future: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._waiting[mark] = (body, future)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            count = -1
            while count != len(self._waiting):
                count = len(self._waiting)
                await asyncio.sleep(_QUIET)
            taken, self._waiting = self._waiting, {}
            try:
                await self._answered(taken)
            except Exception as error:
                for _, future in taken.values():
                    if not future.done():
                        future.set_exception(error)

    async def _answered(self, taken: Mapping[str, tuple[Body, asyncio.Future[Completion]]]) -> None:
        """Give every request its completion, out of batches sent earlier or out of a new one."""
        left = set(taken)
        batches = [(note, batch) for note, batch, marks in self._noted() if left & marks]
        for _, _, marks in self._noted():
            left -= marks
        if left:
            batches.append(await self._submit({mark: taken[mark][0] for mark in sorted(left)}))
        for note, batch in batches:
            for mark, completion in (await self._results(note, batch)).items():
                if mark in taken and not taken[mark][1].done():
                    taken[mark][1].set_result(completion)
            self._done.add(note)
        for _, future in taken.values():
            if not future.done():
                future.set_exception(
                    UserError("the provider's batch left this request out", remedy="run again: it is sent anew")
                )

    def _noted(self) -> list[tuple[Path, str, set[str]]]:
        """Batches that were sent and not yet read: note, batch id, requests."""
        notes = sorted(self._notes.glob("*.json")) if self._notes.is_dir() else []
        found = [(note, json.loads(note.read_text(encoding="utf-8"))) for note in notes if note not in self._done]
        return [(note, value["batch"], set(value["requests"])) for note, value in found]

    async def _submit(self, bodies: Mapping[str, Body]) -> tuple[Path, str]:
        lines = [
            {"custom_id": mark, "method": "POST", "url": "/v1/chat/completions", "body": body}
            for mark, body in bodies.items()
        ]
        data = "\n".join(json.dumps(line) for line in lines).encode()
        file = await self._call("acreate_file", file=("requests.jsonl", data), purpose="batch")
        batch = await self._call(
            "acreate_batch", completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id
        )
        note = self._notes / f"{hashlib.sha256(batch.id.encode()).hexdigest()[:32]}.json"
        with atomic_file(note) as temporary:
            temporary.write_text(json.dumps({"batch": batch.id, "requests": list(bodies)}), encoding="utf-8")
        return note, batch.id

    async def _results(self, note: Path, batch_id: str) -> dict[str, Completion]:
        batch = await self._call("aretrieve_batch", batch_id=batch_id)
        while batch.status not in ("completed", *_OVER):
            await asyncio.sleep(self._every)
            batch = await self._call("aretrieve_batch", batch_id=batch_id)
        if batch.output_file_id is None:
            note.unlink(missing_ok=True)
            raise UserError(
                f"the provider's batch {batch_id} ended as '{batch.status}' without answers",
                remedy="run again: it is sent anew",
            )
        content = await self._call("afile_content", file_id=batch.output_file_id)
        return dict(self._read(json.loads(line)) for line in content.text.splitlines() if line.strip())

    def _read(self, line: Mapping[str, Any]) -> tuple[str, Completion]:
        answer = line["response"]["body"]
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        return line["custom_id"], read_completion(
            choice["message"], str(choice.get("finish_reason")), usage, self._usd, 0.0, str(answer.get("id") or "")
        )

    async def _call(self, name: str, **arguments: Any) -> Any:
        try:
            return await getattr(litellm(), name)(
                custom_llm_provider=self._route.provider, api_base=self._route.url, api_key=self._route.key, **arguments
            )
        except Exception as error:
            raise FatalProviderError(
                f"the batch API of '{self._route.provider}' failed: {error}",
                remedy="run again, or leave out batch: true",
            ) from error
