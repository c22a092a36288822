"""What an API teacher costs, whatever its server says of itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.ledger.views import MeteredLedger
from harness.llm.servers import address
from harness.progress import silent
from harness.teachers.litellm import LiteLLM
from harness.teachers.make import teacher_from

PRICE = {"input": 1.0, "output": 2.0}
Answer = Callable[[int, dict[str, Any]], dict[str, Any] | bytes | None]
"""From the number of a request and its body to the body of the answer, or to raw bytes; None cuts the connection."""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.001)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Address of a loopback server, and the bodies that it has got."""
    bodies: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            """Says nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                bodies.append(body)
                found = answer(len(bodies), body)
            if found is None:
                self.close_connection = True
                self.connection.close()
                return
            raw = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/v1", bodies
    finally:
        http.shutdown()
        http.server_close()


def reply(usage: Any = None, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "[3] > [2] > [1]"}
    usage = {} if usage is None else {"usage": usage}
    return {"id": "1", "choices": [{"index": 0, "finish_reason": "stop", "message": message}], **usage, **more}


def tokens(asked: int, given: int, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given, **more}


def teacher(url: str, **settings: Any) -> LiteLLM:
    made = teacher_from(
        {"kind": "litellm", "model": "openai/test", "concurrency": 1, "attempts": 3, "api_base": url, "price": PRICE}
        | settings
    )
    assert isinstance(made, LiteLLM)
    return made


def labelled(made: LiteLLM, ledger: Ledger, count: int = 1, text: str = "about cats") -> list[Ranking]:
    tasks = [
        Task(f"q{number}", f"query {number}", tuple(Candidate(f"d{place}", f"{text} {place}") for place in range(3)))
        for number in range(count)
    ]
    return list(made.label(tasks, ledger, silent))


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": None}, tokens(0, 0), "none"])
def test_answers_that_are_not_counted_count_against_the_limit(usage: Any, ledger: Ledger) -> None:
    ledger.limit = 0.002
    with (
        answering(lambda number, body: reply(usage)) as (url, bodies),
        pytest.raises(UserError, match="may have been billed"),
    ):
        labelled(teacher(url), ledger, 50)
    calls = list(ledger.calls())
    assert 0 < len(bodies) == len(calls) < 10 and all(call.estimated and call.usd > 0 for call in calls)
    assert ledger.paid.usd == pytest.approx(sum(call.usd for call in calls))
    assert ledger.paid.usd < ledger.balance("").spent <= 0.002


def test_the_price_of_a_known_name_holds_at_any_address(ledger: Ledger) -> None:
    ledger.limit = 0.00001
    with answering(lambda number, body: reply(tokens(1000, 50))) as (url, bodies):
        with pytest.raises(UserError, match="--max-cost"):
            labelled(teacher(url, model="openai/gpt-4.1-mini", price=None), ledger)
        with pytest.raises(UserError, match="price of 'openai/test' is not known"):
            labelled(teacher(url, price=None), ledger)
        assert bodies == [] and not teacher(url, price=None).guess(1, 3).priced
        labelled(teacher(url, price={"input": 0, "output": 0}), ledger)
        ledger.limit = None
        labelled(teacher(url, model="openai/gpt-4.1-mini", price=None), ledger)
    assert ledger.paid.usd == pytest.approx(1000 * 4e-7 + 50 * 1.6e-6)


def test_a_model_of_unknown_price_is_replayed_under_any_limit(ledger: Ledger) -> None:
    with answering(lambda number, body: reply(tokens(10, 5))) as (url, bodies):
        labelled(teacher(url, price=None), ledger)
        ledger.limit = 0.0
        assert labelled(teacher(url, price=None), ledger)[0].verdict == "ok" and len(bodies) == 1
        assert teacher(url, price=None).facts()["price"] == "unknown" and "price" not in teacher(url).facts()


def test_digits_at_a_token_a_byte_keep_the_limit_with_many_in_flight(ledger: Ledger) -> None:
    def bill(number: int, body: dict[str, Any]) -> dict[str, Any]:
        return reply(tokens(sum(len(message["content"]) for message in body["messages"]), 20))

    ledger.limit = 0.03
    with answering(bill) as (url, bodies), pytest.raises(UserError, match="--max-cost"):
        labelled(teacher(url, concurrency=64), ledger, 100, text=" ".join(str(31337 * one) for one in range(120)))
    assert len(bodies) > 3 and 0.02 < ledger.paid.usd <= 0.03


def test_after_an_answer_longer_than_max_tokens_as_much_is_reserved(ledger: Ledger) -> None:
    with answering(lambda number, body: reply(tokens(10, 100_000))) as (url, bodies):
        ledger.limit = 0.5
        with pytest.raises(UserError, match="--max-cost"):
            labelled(teacher(url), ledger, 20)
        assert len(bodies) == 2 and ledger.paid.usd <= 0.5
        # Another process knows it too.
        later = Ledger(ledger.path)
        later.account, later.limit = "later", 0.15
        with pytest.raises(UserError, match="--max-cost"):
            labelled(teacher(url), later, 20)
        assert len(bodies) == 2


def test_more_answers_and_more_room_than_ours_are_reserved() -> None:
    url = "http://127.0.0.1:9/v1"
    one, five = teacher(url, max_tokens=100), teacher(url, max_tokens=100, extra={"n": 5, "max_completion_tokens": 300})
    request = next(one.asking.session(Task("q", "query", (Candidate("a", "x"), Candidate("b", "y")))))[0]
    assert (one.most_output(request), five.most_output(request)) == (100, 1500)


def test_thinking_beside_the_completion_and_cached_tokens_are_priced(ledger: Ledger) -> None:
    usage = tokens(1000, 20, prompt_cache_hit_tokens=600, reasoning_tokens=400)
    with answering(lambda number, body: reply(usage)) as (url, _):
        labelled(teacher(url, price=PRICE | {"cached": 0.1}), ledger)
    assert (ledger.paid.cached_tokens, ledger.paid.output_tokens, ledger.paid.reasoning_tokens) == (600, 420, 400)
    assert ledger.paid.usd == pytest.approx((400 * 1.0 + 600 * 0.1 + 420 * 2.0) / 1e6)


def test_answers_that_were_cut_on_the_way_count_as_perhaps_billed(ledger: Ledger) -> None:
    with answering(lambda number, body: None if number < 3 else reply(tokens(100, 20))) as (url, bodies):
        ledger.limit = 1.0
        assert labelled(teacher(url), ledger)[0].verdict == "ok"
        assert len(bodies) >= 3
        found = ledger.balance("")
        assert found.paid == pytest.approx(140e-6) and found.reserved == 0
        assert found.unconfirmed > 2 * found.paid
        ledger.limit = found.spent + 1e-4
        with pytest.raises(UserError, match=r"more may have been billed for answers that never came"):
            labelled(teacher(url), ledger, 3)


def test_lost_answers_are_not_waited_for_by_what_waits_for_their_slots(ledger: Ledger) -> None:
    reserved: list[float] = []

    def watched(number: int, body: dict[str, Any]) -> dict[str, Any]:
        reserved.append(ledger.balance("").reserved)
        return reply(tokens(100, 20))

    with answering(watched) as (url, _):
        labelled(teacher(url), ledger)
    # Eight are in flight and one more is claimed; after eight lost answers there is money for the latter alone.
    ledger.limit = ledger.balance("").spent + 9.5 * reserved[0]
    with (
        answering(lambda number, body: None if number <= 8 else reply(tokens(100, 20))) as (url, bodies),
        pytest.raises(UserError, match="may have been billed"),
    ):
        labelled(teacher(url, concurrency=8), ledger, 30, "about dogs")
    assert len(bodies) > 8 and ledger.balance("").spent <= ledger.limit and not ledger.under_way(None)


def test_a_server_that_cannot_be_reached_is_not_billed(ledger: Ledger) -> None:
    ledger.limit = 1.0
    with pytest.raises(UserError):
        labelled(teacher("http://127.0.0.1:9/v1", attempts=2), ledger)
    assert ledger.balance("").spent == 0 and ledger.under_way(None) == 0


def test_the_servers_own_words_stand_with_each_call(ledger: Ledger) -> None:
    meter = MeteredLedger(ledger)

    def moving(number: int, body: dict[str, Any]) -> dict[str, Any]:
        return reply(tokens(9, 5), model=f"m-{1 + (number > 2)}", system_fingerprint="fp_a" if number < 4 else 7)

    with answering(moving) as (url, _):
        labelled(teacher(url), meter, 4)
    assert sorted((call.served, call.fingerprint) for call in ledger.calls()) == [
        *(("m-1", "fp_a"), ("m-1", "fp_a"), ("m-2", ""), ("m-2", "fp_a")),
    ]
    assert sorted(origin.served for origin in meter.sources.values()) == ["m-1", "m-1", "m-2", "m-2"]
    again = MeteredLedger(ledger)
    labelled(teacher("http://127.0.0.1:9/v1", revision=""), again, 4)
    assert again.sources == meter.sources, "what is replayed is known too"


def test_two_servers_with_one_name_are_two_teachers(ledger: Ledger) -> None:
    first = answering(lambda number, body: reply(tokens(9, 5)))
    second = answering(lambda number, body: reply(tokens(9, 5)))
    with first as (one, asked_one), second as (two, asked_two):
        for _ in range(2):
            labelled(teacher(one, model="openai/tgi"), ledger, 2)
            labelled(teacher(two, model="openai/tgi"), ledger, 2)
            assert (len(asked_one), len(asked_two)) == (2, 2)
        # A revision, be it an empty one, says that it is one model wherever it is asked; so do names of known models.
        labelled(teacher(two, model="openai/tgi", revision=""), ledger, 2)
        assert (len(asked_one), len(asked_two)) == (2, 2)
        for url in (one, two):
            labelled(teacher(url, model="openai/gpt-4.1-mini"), ledger, 2)
        assert (len(asked_one), len(asked_two)) == (4, 2)
    assert ledger.server("openai/tgi") == one.removeprefix("http://").removesuffix("/v1")
    assert ledger.server("openai/gpt-4.1-mini") is None


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://user:secret@localhost:8000/v1/?key=secret", "127.0.0.1:8000"),
        ("https://HOST.example/proxy/v1", "host.example:443/proxy"),
        ("host:80", "host:80"),
    ],
)
def test_an_address_is_where_a_server_is_and_nothing_secret(url: str, found: str) -> None:
    assert address(url) == found


def test_what_a_call_writes_into_a_prompt_cache_is_paid(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Anthropic's own protocol, which counts written tokens beside the input."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    usage = {"input_tokens": 4, "output_tokens": 20, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 96}
    said = [{"type": "text", "text": "[3] > [2] > [1]"}]
    message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn"}
    made = teacher_from({"kind": "litellm", "model": "anthropic/claude-sonnet-4-5", "api_base": "http://127.0.0.1:9"})
    assert isinstance(made, LiteLLM) and made.price is not None and made.price.written is not None
    usd = 4 * made.price.input + 96 * made.price.written + 20 * made.price.output
    with answering(lambda n, body: message | {"content": said, "usage": usage}) as (url, _):
        asked = teacher(url, model="anthropic/claude-sonnet-4-5", api_base=url.removesuffix("/v1"), price=None)
        labelled(asked, ledger)
    (call,) = ledger.calls()
    assert (call.input_tokens, call.usd) == (100, pytest.approx(usd))


def test_a_cap_holds_where_every_prompt_is_written_into_a_cache(ledger: Ledger) -> None:
    ledger.limit = 0.05
    dear = {"input": 1.0, "output": 2.0, "written": 12.5}

    def written(number: int, body: dict[str, Any]) -> dict[str, Any]:
        length = len(body["messages"][-1]["content"]) // 3
        return reply(tokens(length, 10, prompt_tokens_details={"cache_write_tokens": length}))

    with answering(written) as (url, bodies), pytest.raises(UserError, match="are left of the limit"):
        labelled(teacher(url, price=dear, concurrency=8), ledger, 200)
    bill = sum(len(body["messages"][-1]["content"]) // 3 * 12.5 + 10 * 2.0 for body in bodies) / 1e6
    assert 0 < bill <= 0.05 and ledger.balance("").paid == pytest.approx(bill)
