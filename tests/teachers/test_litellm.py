"""API teachers against a real HTTP server that speaks the OpenAI protocol, and misbehaves on request."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.llm.backend import FatalProviderError
from harness.llm.retry_rules import TransientError, failure
from harness.teachers.litellm import LiteLLM
from harness.teachers.make import teacher_from
from tests.llm.openai_server import FAULTS, Server, completion, permutation, serving

SECRET = "sk-very-secret"
DEPTH = 6


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def tasks(count: int) -> list[Task]:
    shuffle = random.Random(7).shuffle
    found = []
    for query in range(count):
        ranks = list(range(DEPTH))
        shuffle(ranks)
        found.append(
            Task(
                f"q{query}", f"query {query}", tuple(Candidate(f"d{rank}", f"rank {rank} of {query}") for rank in ranks)
            )
        )
    return found


RIGHT = tuple(f"d{rank}" for rank in range(DEPTH))


def teacher(server: Server, **settings: Any) -> LiteLLM:
    made = teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini", "api_base": server.url, **settings})
    assert isinstance(made, LiteLLM)
    return made


def labelled(made: LiteLLM, ledger: Ledger, count: int) -> list[Ranking]:
    return list(made.label(tasks(count), ledger, lambda done, total, unit="": None))


@pytest.mark.slow
def test_labels_once_and_replays_for_nothing(server: Server, ledger: Ledger) -> None:
    first = labelled(teacher(server), ledger, 20)
    assert all(ranking.ranked == RIGHT and ranking.verdict == "ok" for ranking in first)
    assert len(server.bodies) == 20 == ledger.paid.calls
    # A larger budget pays for the new queries only; transport settings are no part of what was asked.
    again = labelled(teacher(server, concurrency=2, timeout=9), ledger, 25)
    assert again[:20] == first
    assert len(server.bodies) == 25


@pytest.mark.slow
def test_what_changes_an_answer_changes_the_call(server: Server, ledger: Ledger) -> None:
    labelled(teacher(server), ledger, 1)
    variants: list[dict[str, Any]] = [
        {"temperature": 0.5},
        {"model": "openai/gpt-4o-mini"},
        {"revision": "2026-01"},
        {"max_tokens": 500},
        {"sampling_seed": 3},
        {"ask": {"strategy": "listwise", "presentation": "reversed"}},
        {"ask": {"max_passage_words": 2}},
    ]
    for number, variant in enumerate(variants, 2):
        labelled(teacher(server, **variant), ledger, 1)
        assert len(server.bodies) == number, variant
    assert len({teacher(server, **variant).identity for variant in variants}) == len(variants)


@pytest.mark.slow
def test_faults_lose_no_window_and_change_no_verdict(ledger: Ledger) -> None:
    with serving(Server(faults=FAULTS, rate=0.3)) as server:
        found = labelled(teacher(server, timeout=3, concurrency=64), ledger, 200)
        asked = len(server.bodies)
        assert len(found) == 200
        assert set(FAULTS) <= set(server.outcomes)
        assert max(server.answered.values()) == 1, "an answer was paid for twice"
        for ranking in found:
            assert ranking.verdict != "ok" or ranking.ranked == RIGHT
            assert ranking.verdict in ("ok", "partial", "failed")
        reasons = Counter(ranking.reason.split(", ")[-1] for ranking in found if ranking.verdict != "ok")
        assert reasons.total() == server.outcomes["truncated"] + server.outcomes["refused"]
        assert reasons["refused"] == server.outcomes["refused"]
        kinds = Counter(miss.kind for miss in ledger.misses())
        garbage = kinds.pop("no answer")
        assert garbage == server.outcomes["garbage"], "what cannot be read is kept as it came"
        assert kinds == {kind: server.outcomes[kind] for kind in ("truncated", "refused", "empty")}
        same = teacher(server, timeout=0.5)
        assert labelled(same, ledger, 200) == found
        assert len(server.bodies) == asked, "what brought no answer is not asked again"


def test_malformed_answers_are_asked_again_and_never_become_the_order_shown(ledger: Ledger) -> None:
    with serving(Server(answer="I cannot say which of the 6 passages is best.")) as server:
        found = labelled(teacher(server, on_malformed={"reask": 2}), ledger, 1)
        assert (found[0].verdict, found[0].ranked) == ("failed", ())
        assert set(found[0].unranked) == set(RIGHT)
        assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, {"message": f"Incorrect API key provided: {SECRET}", "code": "invalid_api_key"}, "Incorrect API key"),
        (404, {"message": "The model does not exist", "code": "model_not_found"}, "does not exist"),
        (
            429,
            {"message": "You exceeded your current quota", "code": "insufficient_quota"},
            "exceeded your current quota",
        ),
        (402, {"message": "Insufficient balance"}, "Insufficient balance"),
    ],
)
def test_hopeless_errors_stop_at_once_with_the_providers_words(
    ledger: Ledger, status: int, error: dict[str, str], said: str
) -> None:
    with serving(Server(status=status, error=error)) as server:
        with pytest.raises(FatalProviderError, match=said) as caught:
            labelled(teacher(server, concurrency=4), ledger, 50)
        assert len(server.bodies) <= 4
    assert SECRET not in str(caught.value)
    assert ledger.paid.calls == 0


def test_a_provider_that_keeps_failing_ends_the_labelling_with_its_words(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.001)
    with (
        serving(Server(status=500, error={"message": "on fire"})) as server,
        pytest.raises(UserError, match=r"3 times in a row.*on fire"),
    ):
        labelled(teacher(server, attempts=3), ledger, 2)


def test_a_missing_key_is_named_before_any_call(monkeypatch: pytest.MonkeyPatch, ledger: Ledger) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    made = teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini"})
    with pytest.raises(FatalProviderError, match="OPENAI_API_KEY"):
        list(made.label(tasks(1), ledger, lambda done, total, unit="": None))


def test_an_unknown_provider_is_named(ledger: Ledger) -> None:
    made = teacher_from({"kind": "litellm", "model": "no-such-model-anywhere"})
    with pytest.raises(UserError, match="no provider"):
        list(made.label(tasks(1), ledger, lambda done, total, unit="": None))


def test_keys_are_sent_and_never_kept(server: Server, ledger: Ledger, tmp_path: Path) -> None:
    made = teacher(server)
    labelled(made, ledger, 3)
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    ledger.close()
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes()
    assert SECRET not in repr(made.settings) + repr(made.open())
    with pytest.raises(UserError, match="environment only"):
        teacher(server, extra={"api_key": "x"})


def test_the_limit_stops_before_the_call_that_would_pass_it(server: Server, ledger: Ledger) -> None:
    price = {"input": 100.0, "output": 1000.0}
    ledger.limit = 1.0
    with pytest.raises(UserError, match="--max-cost"):
        labelled(teacher(server, price=price, concurrency=8), ledger, 200)
    assert 0 < ledger.paid.usd <= 1.0
    assert len(server.bodies) == ledger.paid.calls
    ledger.limit = None
    labelled(teacher(server, price=price), ledger, 200)
    assert len(server.bodies) == 200, "what was paid before the stop was kept"


def test_a_limit_needs_a_price(ledger: Ledger) -> None:
    ledger.limit = 1.0
    made = teacher_from({"kind": "litellm", "model": "openai/brand-new-model"})
    with pytest.raises(UserError, match="price of 'openai/brand-new-model' is not known"):
        list(made.label(tasks(1), ledger, lambda done, total, unit="": None))


def test_the_estimate_counts_what_is_not_paid_yet(server: Server, ledger: Ledger) -> None:
    made = teacher(server, price={"input": 1.0, "output": 2.0})
    whole = made.estimate(tasks(10), ledger)
    assert whole.calls == 10
    assert whole.usd == pytest.approx((whole.input_tokens + 2 * whole.output_tokens) / 1e6)
    labelled(made, ledger, 4)
    rest = made.estimate(tasks(10), ledger)
    assert rest.calls == 6
    assert rest.input_tokens == pytest.approx(0.6 * whole.input_tokens, rel=0.05)
    labelled(made, ledger, 10)
    assert made.estimate(tasks(10), ledger).calls == 0


def test_prices_come_from_litellms_map_with_cached_tokens_and_batches() -> None:
    made = teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini"})
    assert isinstance(made, LiteLLM) and made.price is not None
    assert made.price.usd(1000, 500, 100) == pytest.approx(500 * 4e-7 + 500 * 1e-7 + 100 * 1.6e-6)
    half = teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini", "batch": True})
    assert isinstance(half, LiteLLM) and half.price is not None
    assert half.price.usd(1000, 0, 100) == pytest.approx(made.price.usd(1000, 0, 100) / 2)
    assert half.identity == made.identity


@pytest.mark.slow
def test_complaints_lower_the_requests_in_flight(ledger: Ledger) -> None:
    with serving(Server(faults=["429"], rate=0.5, latency=0.01)) as server:
        found = labelled(teacher(server, concurrency=32), ledger, 60)
        assert all(ranking.verdict == "ok" for ranking in found)
        assert server.most_in_flight <= 32


def test_thinking_is_stripped_and_counted(ledger: Ledger) -> None:
    with serving(Server(answer="<think>[1] surely. Or not?</think>[2] > [1] > [3] > [4] > [5] > [6]")) as server:
        found = labelled(teacher(server, max_tokens=1000), ledger, 1)
    assert found[0].verdict == "ok"
    assert 0 < ledger.paid.reasoning_tokens < ledger.paid.output_tokens


@pytest.mark.slow
def test_the_batch_api_answers_everything_in_one_file(server: Server, ledger: Ledger) -> None:
    found = labelled(teacher(server, batch=True, batch_seconds=0.01), ledger, 30)
    assert all(ranking.ranked == RIGHT for ranking in found)
    assert (len(server.batches), len(server.bodies)) == (1, 0)
    labelled(teacher(server, batch=True, batch_seconds=0.01), ledger, 30)
    assert len(server.batches) == 1


@pytest.mark.slow
def test_a_batch_that_was_sent_is_waited_for_and_not_sent_again(
    server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from harness.llm import provider_batch

    async def killed(self: object, note: Path, batch_id: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(provider_batch.ProviderBatch, "_results", killed)
        with pytest.raises(BaseException):  # noqa: B017
            labelled(teacher(server, batch=True, batch_seconds=0.01), ledger, 5)
    assert len(server.batches) == 1
    found = labelled(teacher(server, batch=True, batch_seconds=0.01), ledger, 8)
    assert all(ranking.ranked == RIGHT for ranking in found)
    sent = [len(server.files[source].splitlines()) for source in server.batches.values()]
    assert sent == [5, 3]


@pytest.mark.slow
def test_a_provider_with_its_own_protocol_goes_through_litellm(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    with serving(Server()) as server:
        made = teacher(server, model="anthropic/claude-3-5-haiku-latest", api_base=server.url.removesuffix("/v1"))
        found = labelled(made, ledger, 4)
    assert all(ranking.ranked == RIGHT for ranking in found)
    assert server.headers[0]["x-api-key"] == SECRET
    assert ledger.paid.input_tokens > 0
    with serving(Server(status=401, error={"message": "invalid x-api-key"})) as server:
        made = teacher(server, model="anthropic/claude-3-5-haiku-latest", api_base=server.url.removesuffix("/v1"))
        with pytest.raises(FatalProviderError, match="invalid x-api-key"):
            labelled(made, ledger, 6)


def test_the_request_says_only_what_was_asked_for(server: Server, ledger: Ledger) -> None:
    labelled(teacher(server), ledger, 1)
    body = server.bodies[0]
    assert set(body) == {"model", "messages", "temperature", "max_tokens"}
    assert json.loads(next(iter(ledger.calls())).request) == {"messages": body["messages"]}


def test_who_asks_to_wait_for_hours_is_not_waited_for() -> None:
    soon = failure(429, "slow down", {"Retry-After": "30"}, "m")
    assert isinstance(soon, TransientError) and (soon.retry_after, soon.overload) == (30.0, True)
    late = failure(429, "daily limit", {"retry-after": "86400"}, "m")
    assert isinstance(late, FatalProviderError) and "1440 minutes: daily limit" in str(late)


@dataclass
class Odd(Server):
    """Answers whose JSON is unusual; `odd` makes the body of one out of the right text."""

    odd: Callable[[str], Any] = str

    async def _respond(self, request: web.Request, body: dict[str, Any], fault: str) -> web.StreamResponse:
        said = self.odd(permutation(body["messages"][-1]["content"]))
        if isinstance(said, bytes):
            return web.Response(body=said, content_type="application/json")
        answer = completion(body["model"], "", "stop", 10)
        answer["choices"][0]["message"]["content"] = said
        return web.json_response(answer)


def thinking(text: str) -> list[dict[str, Any]]:
    return [{"type": "thinking", "thinking": [{"type": "text", "text": "[1] > [2]?"}]}, {"type": "text", "text": text}]


def half_an_emoji(text: str) -> bytes:
    answer = json.dumps(completion("m", "@", "stop", 10)).replace("@", text + " \\ud83d")
    return answer.encode()


def no_utf8(text: str) -> bytes:
    return json.dumps(completion("m", text + " @", "stop", 10)).encode().replace(b"@", b"\xff\xfe")


@pytest.mark.parametrize("odd", [thinking, half_an_emoji, no_utf8])
def test_an_answer_is_read_and_paid_for_whatever_its_json_looks_like(odd: Callable[[str], Any], ledger: Ledger) -> None:
    with serving(Odd(odd=odd)) as running:
        found = labelled(teacher(running), ledger, 3)

    assert [ranking.ranked for ranking in found] == [RIGHT] * 3
    assert len(ledger) == 3


def test_what_is_no_answer_is_tried_again_and_then_named(ledger: Ledger) -> None:
    with serving(Odd(odd=lambda text: b'{"choices": [{"message": null}]}')) as running:
        with pytest.raises(UserError, match="not the OpenAI protocol"):
            labelled(teacher(running, attempts=2), ledger, 1)
        assert len(running.bodies) == 2


def test_half_an_emoji_in_a_passage_is_sent_and_kept(server: Server, ledger: Ledger) -> None:
    passages = tuple(Candidate(f"d{rank}", f"rank {rank} half \ud83d an emoji") for rank in (2, 0, 1))

    (ranking,) = teacher(server).label([Task("q", "query", passages)], ledger, lambda done, total, unit="": None)
    again = list(teacher(server).label([Task("q", "query", passages)], ledger, lambda done, total, unit="": None))

    assert ranking.ranked == ("d0", "d1", "d2") and again == [ranking]
    assert len(server.bodies) == len(ledger) == 1
