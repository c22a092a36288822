"""The cases of labelling: asking an API, replaying the ledger, scoring likelihoods."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Ratio
from harness.labelling.ledger import Ledger
from harness.labelling.teacher import Candidate, Task
from harness.teachers.chat.teacher import ChatTeacher
from harness.teachers.make import teacher_from

LATENCY, IN_FLIGHT = 0.2, 64
WORDS = "of a passage as long as most passages are in collections of the web " * 8


@contextmanager
def _server() -> Iterator[str]:
    """A server of the OpenAI protocol with 200 ms latency, in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "benchmarks.server", str(LATENCY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def _tasks(count: int, depth: int) -> list[Task]:
    """Queries whose candidates come from 20,000 passages, so that most passages are shown for several of them."""
    draw = random.Random(0)
    passages = [Candidate(f"d{number}", f"number {number} {WORDS}") for number in range(20_000)]
    return [Task(f"q{number}", f"query {number}", tuple(draw.sample(passages, depth))) for number in range(count)]


def _silent(done: int, total: int, unit: str = "") -> None:
    pass


def asking(quick: bool) -> Ratio:
    """Windows at 64 in flight against plain litellm calls; also says which share of the ideal rate that is."""
    count = 500 if quick else 2_000
    os.environ.setdefault("OPENAI_API_KEY", "none")
    tasks = _tasks(count, 20)
    with _server() as url, tempfile.TemporaryDirectory() as folder:
        teacher = teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini", "api_base": url, "concurrency": IN_FLIGHT})
        assert isinstance(teacher, ChatTeacher)
        prompts = [list(next(teacher.asking.session(task))[0].messages) for task in tasks]
        asyncio.run(_plain(prompts[:IN_FLIGHT], url))
        list(teacher.label(_tasks(1, 3), Ledger(Path(folder) / "warm.sqlite"), _silent))
        before, start = _peak(), time.perf_counter()
        rankings = list(teacher.label(tasks, Ledger(Path(folder) / "ledger.sqlite"), _silent))
        ours, grown = time.perf_counter() - start, _peak() - before
        assert all(ranking.verdict == "ok" for ranking in rankings)
        start = time.perf_counter()
        asyncio.run(_plain(prompts, url))
        peer = time.perf_counter() - start
    # No schedule is faster: so many rounds of so many requests.
    ideal = math.ceil(count / IN_FLIGHT) * LATENCY
    work = f"{count:,} windows of 20, {IN_FLIGHT} in flight, 200 ms: {ideal / ours:.1%} of the ideal rate, {grown:.0f} MB more"
    return Ratio("asking an API", work, "litellm.acompletion", ours, peer)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _plain(prompts: list[list[tuple[str, str]]], url: str) -> None:
    from harness.teachers.chat.providers import litellm

    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one(prompt: list[tuple[str, str]]) -> None:
        messages = [{"role": role, "content": content} for role, content in prompt]
        async with slots:
            await litellm().acompletion(model="openai/gpt-4.1-mini", messages=messages, api_base=url, max_retries=0, temperature=0)

    await asyncio.gather(*(one(prompt) for prompt in prompts))


def replaying(quick: bool) -> Ratio:
    """A fully cached labelling of 9 windows a query, parse included, against the ten seconds it may take at most."""
    count = 1_000 if quick else 10_000
    tasks = _tasks(count, 100)
    settings = {"kind": "litellm", "model": "openai/gpt-4.1-mini", "ask": {"strategy": "sliding", "max_passage_words": 120}}
    teacher = teacher_from(settings)
    assert isinstance(teacher, ChatTeacher)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        windows = _pay(teacher, tasks, ledger)
        start = time.perf_counter()
        rankings = list(teacher.label(tasks, ledger, _silent))
        ours = time.perf_counter() - start
    assert all(ranking.verdict == "ok" for ranking in rankings)
    return Ratio("replaying the ledger", f"{count:,} queries, {windows:,} calls", "the limit: 10 s for 90,000 calls", ours, windows / 9_000)


def _pay(teacher: ChatTeacher, tasks: list[Task], ledger: Ledger) -> int:
    """Put the right answer to every window into the ledger."""
    from harness.labelling.calls import Call
    from tests.teachers.openai_server import permutation

    windows = 0
    for task in tasks:
        session = teacher.asking.session(task)
        requests = next(session)
        while True:
            answers = [permutation(request.messages[-1][1]) for request in requests]
            ledger.put_many(
                [Call(teacher.key(r), teacher.model, r.messages[-1][1], a, 3000, 0, 100) for r, a in zip(requests, answers, strict=True)]
            )
            windows += len(requests)
            try:
                requests = session.send([r.read(a, False) for r, a in zip(requests, answers, strict=True)])
            except StopIteration:
                break
    return windows


def likelihood(quick: bool) -> Ratio:
    """Query likelihoods over shared passages against one forward pass a pair, same model and precision."""
    from benchmarks.naive import naive_scores
    from harness.collections.parse import parse_source
    from harness.collections.prepared import prepare
    from harness.teachers.likelihood import Likelihood

    passages, each = (100, 5) if quick else (2_000, 5)
    sample = 100 if quick else 300
    with tempfile.TemporaryDirectory() as folder:
        corpus = prepare(parse_source("semanlink"), Path(folder)).corpus
        texts = corpus.slice_texts(0, min(passages, len(corpus)))
        texts = [f"{text} {number // len(texts)}" for number, text in enumerate(texts * (-(-passages // len(texts))))][:passages]
        tasks = [
            Task(
                f"q{n}",
                f"topic number {n}",
                tuple(Candidate(f"d{(n * 10 + k) % passages}", texts[(n * 10 + k) % passages]) for k in range(10)),
            )
            for n in range(passages * each // 10)
        ]
        teacher = teacher_from({"kind": "likelihood", "precision": "fp32"})
        assert isinstance(teacher, Likelihood)
        start = time.perf_counter()
        rankings = list(teacher.label(tasks, Ledger(Path(folder) / "ledger.sqlite"), _silent))
        ours = time.perf_counter() - start
    pairs = [(task, ranking) for task, ranking in zip(tasks, rankings, strict=True)]
    spent, worst = naive_scores(teacher, pairs[:: max(1, len(pairs) * 10 // sample)])
    count = passages * each
    work = f"{count:,} pairs over {passages:,} passages ({count / ours:.0f} a second); scores within {worst:.0e}"
    return Ratio("query likelihood", work, "one forward pass a pair (timed on a sample)", ours, spent * count)
