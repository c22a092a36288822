"""From requests that come one by one to an engine in this process that completes many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Protocol, Self, TypeVar

from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend, Completion, RequestFailed

T = TypeVar("T")
_Waiting = tuple[Request, asyncio.Future[Completion]]


class Engine(Protocol):
    """Completes a list of requests; called in one thread only, the one that made it."""

    def complete(self, requests: list[Request]) -> list[Completion]:
        """A completion for each, in their order. Raises RequestFailed where one of them has none."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Batched(Backend):
    """Gathers what waits, at most `most` requests, and completes it in a worker thread while the next ones gather.

    `load` makes the engine, in that thread too. A failing batch fails its own requests, each with what the engine
    raised; where one of them cannot be answered, each is completed on its own.
    """

    def __init__(self, load: Callable[[], Engine], most: int) -> None:
        self.concurrency = 2 * most
        self._load, self._most = load, most
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="engine")
        try:
            self._engine = await self._threaded(self._load)
        except BaseException:
            self._pool.shutdown(cancel_futures=True)
            raise
        self._collector = asyncio.create_task(self._collect())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._collector.cancel()
        await asyncio.gather(self._collector, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait()[1].cancel()
        # A running batch cannot be interrupted; the engine is closed after it, in its own thread.
        self._pool.submit(self._engine.close).result()
        self._pool.shutdown()

    async def complete(self, request: Request) -> Completion:
        future: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((request, future))
        return await future

    async def _collect(self) -> None:
        while True:
            batch = [await self._queue.get()]
            # Whoever is about to ask gets to.
            await asyncio.sleep(0)
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._run([(request, future) for request, future in batch if not future.done()])

    async def _run(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            found = await self._threaded(lambda: self._engine.complete([request for request, _ in batch]))
            for (_, future), completion in zip(batch, found, strict=True):
                if not future.done():
                    future.set_result(completion)
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:
            if isinstance(error, RequestFailed) and len(batch) > 1:
                # One of them does not fit, and does not say which one it is.
                for one in batch:
                    await self._run([one])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)

    async def _threaded(self, call: Callable[[], T]) -> T:
        # The thread computes in the numerics of whoever asks.
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, call)
