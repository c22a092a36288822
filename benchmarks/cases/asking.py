"""Asking an API."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from benchmarks.case import Case, Goal, Peer, Timed
from benchmarks.timing import timed

LATENCY, IN_FLIGHT = 0.2, 64


class Asking(Case):
    """Windows at 64 in flight against plain litellm calls, on a server that answers after 200 ms."""

    name: ClassVar[str] = "asking an API"

    @property
    def windows(self) -> int:
        """Requests."""
        return 500 if self.quick else 2_000

    def work(self) -> str:
        return f"{self.windows:,} windows of 20 passages, {IN_FLIGHT} in flight, {LATENCY * 1000:.0f} ms"

    def ours(self) -> Timed:
        from benchmarks.windows import chat_teacher, tasks_of
        from harness.ledger.ledger import Ledger
        from harness.progress import silent

        tasks = tasks_of(self.windows, 20)
        with _server() as url:
            teacher = chat_teacher(api_base=url, concurrency=IN_FLIGHT)
            warm, file = self.folder / "warm.sqlite", self.folder / "ledger.sqlite"
            for old in (warm, file):
                old.unlink(missing_ok=True)
            list(teacher.label(tasks_of(1, 3), Ledger(warm), silent))
            seconds, rankings = timed(lambda: list(teacher.label(tasks, Ledger(file), silent)))
        assert all(ranking.verdict == "ok" for ranking in rankings)
        return Timed(seconds, note=f"ours {self._ideal / seconds:.1%} of the ideal rate")

    @property
    def _ideal(self) -> float:
        """No schedule is faster: so many rounds of so many requests. All that `label` does is measured against it, a
        new ledger's file and the first and last request included; imports and the first answer ever are not."""
        return math.ceil(self.windows / IN_FLIGHT) * LATENCY

    def limits(self) -> tuple[Goal, ...]:
        return (Goal("98 % of the ideal rate", lambda ours, _: self._ideal / ours.seconds >= 0.98),)

    def peers(self) -> tuple[Peer, ...]:
        return (Peer("litellm.acompletion", self._litellm),)

    def _litellm(self) -> Timed:
        from benchmarks.windows import chat_teacher, tasks_of

        asking = chat_teacher().asking
        prompts = [list(next(asking.session(task))[0].messages) for task in tasks_of(self.windows, 20)]
        with _server() as url:
            asyncio.run(_plain(prompts[:IN_FLIGHT], url))
            seconds, _ = timed(lambda: asyncio.run(_plain(prompts, url)))
        return Timed(seconds)


@contextmanager
def _server() -> Iterator[str]:
    """A server of the OpenAI protocol in a process of its own; gives its URL."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    command = [sys.executable, "-m", "benchmarks.server", str(LATENCY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


async def _plain(prompts: list[list[tuple[str, str]]], url: str) -> None:
    from harness.llm.providers import litellm

    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one(prompt: list[tuple[str, str]]) -> None:
        messages = [{"role": role, "content": content} for role, content in prompt]
        async with slots:
            await litellm().acompletion(
                model="openai/gpt-4.1-mini", messages=messages, api_base=url, max_retries=0, temperature=0
            )

    await asyncio.gather(*(one(prompt) for prompt in prompts))
