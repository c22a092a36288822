"""One bucket and one count of complaints for all that ask a service."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from harness.ledger.ledger import Ledger
from harness.llm.pace.rate_limits import Slots
from harness.llm.pace.shared_pace import PACER, PaceBook, SharedPace, Turn
from tests.llm.openai_server import Server, serving
from tests.teachers.test_litellm import labelled, teacher


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_all_askers_share_the_requests_and_tokens_of_a_minute() -> None:
    book, rates = PaceBook(clock := Clock()), (6, 600)
    # A minute's worth at once, whoever asks; then one each ten seconds, in the order of asking.
    assert [book.turn("a", rates, 10).delay for _ in range(8)] == pytest.approx([0] * 6 + [10, 20])
    assert book.turn("b", rates, 10).delay == 0
    clock.now += 30
    assert book.turn("a", rates, 10).delay == 0
    # 300 of the 600 tokens have leaked away since, so 400 more have to wait for some to.
    assert book.turn("c", (None, 600), 500).delay == 0
    assert book.turn("c", (None, 600), 400).delay == pytest.approx(30)
    # One request larger than the limit waits as if it were as large.
    assert book.turn("d", (None, 600), 10_000).delay == 0
    assert book.turn("e", (None, None), 10_000) == Turn(0.0, 0, 0.0)


def test_a_complaint_to_one_halves_the_window_of_all_once() -> None:
    book = PaceBook(clock := Clock())
    windows = [Slots(32), Slots(32)]
    first, second = (SharedPace(book, "a", (None, None), slots) for slots in windows)
    asyncio.run(first.wait(1))
    asyncio.run(second.wait(1))
    clock.now += 5
    first.complained(time.monotonic() - 1, None)
    # It was under way when the first was cut, and says nothing new.
    second.complained(time.monotonic() - 3, None)
    assert [slots.limit for slots in windows] == [16, 16]
    clock.now += 5
    second.complained(time.monotonic() - 1, 0.0)
    asyncio.run(first.wait(1))
    assert [slots.limit for slots in windows] == [8, 8]
    # Who comes later starts as it is set, and keeps the pause that the provider asked for.
    book.complained("a", 0.1, 30.0)
    late = Slots(32)
    asyncio.run(SharedPace(book, "a", (None, None), late).wait(1))
    assert late.limit == 32 and late._pause() > 29


def test_a_teacher_asks_whoever_keeps_the_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    asked: list[tuple[str, tuple[int | None, int | None]]] = []

    class Counting(PaceBook):
        def turn(self, service: str, rates: tuple[int | None, int | None], tokens: int) -> Turn:
            asked.append((service, rates))
            return super().turn(service, rates, tokens)

    with serving(Server()) as server:
        mark = PACER.set(Counting())
        try:
            labelled(teacher(server, requests_per_minute=600), Ledger(tmp_path / "ledger.sqlite"), 3)
        finally:
            PACER.reset(mark)
        assert len(asked) == 3 and {rates for _, rates in asked} == {(600, None)}
        assert len({service for service, _ in asked}) == 1 and server.url not in asked[0][0]
