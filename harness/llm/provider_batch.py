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
from harness.llm.answers.body_errors import body_failure, is_error, parsed
from harness.llm.answers.completion_body import read_or_keep
from harness.llm.answers.provider_reasons import account_remedy
from harness.llm.backend import Backend, Completion, FatalProviderError, RequestFailed
from harness.llm.openai_backend import Body
from harness.llm.pricing.token_usage import Usd
from harness.llm.providers import Route, litellm
from harness.llm.retry_rules import TransientError, failure, provider_words
from harness.llm.wire.accepted_parameters import AcceptedParameters
from harness.llm.wire.refused_parameter import SYSTEM
from harness.masking import masked
from harness.text import encodable

_QUIET = 0.5
"""Seconds without a new request after which those that wait make a batch."""
_LARGEST = 50_000
"""Requests that one batch of OpenAI may hold."""
_OVER = ("failed", "expired", "cancelled")


class ProviderBatch(Backend):
    """Gathers requests, sends them as one batch, waits. `every` is how often (seconds) it asks whether the batch is
    ready."""

    concurrency = _LARGEST
    resumable = True

    def __init__(
        self,
        route: Route,
        body: Callable[[Request], Body],
        usd: Usd,
        every: float,
        headers: Mapping[str, str],
        accepted: AcceptedParameters,
    ) -> None:
        self._route, self._body, self._usd, self._every = route, body, usd, every
        self._headers, self._accepted = {"extra_headers": dict(headers)} if headers else {}, accepted
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
        messages = [{"role": role, "content": encodable(content)} for role, content in request.messages]
        wanted, trial = self._body(request), self._accepted.trial()
        system = any(role == SYSTEM for role, _ in request.messages)
        while True:
            asked = {"messages": trial.messages(messages), **trial.parameters(wanted)}
            try:
                completion = await self._row({"model": self._route.name, **asked}, request)
            except RowRefused as refused:
                # In the next batch, with all others whose parameters were refused in this one.
                if trial.learn(refused.status, refused.body, wanted, system):
                    continue
                raise refused.failure from refused
            trial.confirm()
            return completion

    async def _row(self, body: Body, request: Request) -> Completion:
        """The answer to a row of a batch that is sent before long, or was sent by an earlier run."""
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
            for mark, outcome in (await self._results(note, batch)).items():
                if mark in taken and not taken[mark][1].done():
                    _settle(taken[mark][1], outcome)
            self._done.add(note)
        for _, future in taken.values():
            if not future.done():
                future.set_exception(RequestFailed("the provider's batch left this request out"))

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

    async def _results(self, note: Path, batch_id: str) -> dict[str, Completion | Exception]:
        """What became of each request: rows that were answered, and rows of the file of errors."""
        batch = await self._call("aretrieve_batch", batch_id=batch_id)
        while batch.status not in ("completed", *_OVER):
            await asyncio.sleep(self._every)
            batch = await self._call("aretrieve_batch", batch_id=batch_id)
        files = [batch.output_file_id, getattr(batch, "error_file_id", None)]
        if not any(files):
            note.unlink(missing_ok=True)
            raise self._without_rows(batch_id, batch)
        rows: dict[str, Completion | Exception] = {}
        for file in filter(None, files):
            content = await self._call("afile_content", file_id=file)
            # Only these end a row: JSON may hold every other character that ends a line elsewhere.
            for line in content.text.split("\n"):
                row = parsed(line)
                if isinstance(row, dict) and isinstance(row.get("custom_id"), str):
                    rows.setdefault(row["custom_id"], self._read(row))
        return rows

    def _read(self, row: Mapping[str, Any]) -> Completion | Exception:
        response = row["response"] if isinstance(row.get("response"), dict) else {}
        answer: Any = response.get("body")
        status: Any = response.get("status_code", 200)
        if isinstance(status, str) and status.isdecimal():
            status = int(status[:3])
        if not response or status not in range(200, 300) or row.get("error"):
            return self._refused(row.get("error") or answer, status)
        if (failed := body_failure(answer, {}, self._route.name)) is not None:
            return RowRefused(400, json.dumps(answer, default=str), _final(failed))
        completion = read_or_keep(json.dumps(answer, ensure_ascii=False), answer, self._usd, 0.0)
        if completion.finish == "unreadable" and is_error(answer):
            return self._refused(answer, 200)
        return completion

    def _refused(self, error: Any, status: Any) -> Exception:
        body = json.dumps(error if isinstance(error, dict) and "error" in error else {"error": error})
        if isinstance(status, int) and status >= 400:
            return RowRefused(status, body, _final(failure(status, body, {}, self._route.name)))
        said = masked(provider_words(body))[:500]
        failed = RequestFailed(f"the provider's batch did not answer this request: {said}")
        return RowRefused(400, body, failed)

    def _without_rows(self, batch_id: str, batch: Any) -> UserError:
        """Why a batch ended without any row, in the provider's words."""
        errors = getattr(getattr(batch, "errors", None), "data", None) or ()
        words = [" ".join(str(part) for part in (one.message, one.code) if part) for one in errors]
        said = masked("; ".join(dict.fromkeys(words)))[:500]
        problem = f"the provider's batch {batch_id} ended as '{batch.status}' without answers"
        remedy = account_remedy(said) if said else "run again: it is sent anew"
        return UserError(f"{problem}: {said}" if said else problem, remedy=remedy)

    async def _call(self, name: str, **arguments: Any) -> Any:
        try:
            return await getattr(litellm(), name)(
                custom_llm_provider=self._route.provider,
                api_base=self._route.url,
                api_key=self._route.key,
                **self._headers,
                **arguments,
            )
        except Exception as error:
            raise FatalProviderError(
                masked(f"the batch API of '{self._route.provider}' failed: {error}"),
                remedy="run again, or leave out batch: true",
            ) from error


class RowRefused(Exception):
    """A row with an error instead of an answer: its HTTP status and body, and what that means."""

    def __init__(self, status: int, body: str, failure: Exception) -> None:
        super().__init__(str(failure))
        self.status, self.body, self.failure = status, body, failure


def _settle(future: asyncio.Future[Completion], outcome: Completion | Exception) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _final(failed: Exception) -> Exception:
    """A failure that might pass is final for a row of a batch that is over."""
    return RequestFailed(f"the provider failed: {failed}") if isinstance(failed, TransientError) else failed
