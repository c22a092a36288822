"""Queries that cannot be answered are labels that failed; the others go on, and secrets stay secret."""

from __future__ import annotations

import base64
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.ledger.views import MeteredLedger
from harness.llm.backend import FatalProviderError
from harness.teachers.make import teacher_from
from tests.llm.openai_server import completion, serving
from tests.llm.scripted_server import Reply, Scripted, error, right

SECRET = "sk-very-secret-9f3a77"
DEPTH = 4
IN_FLIGHT = 16


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.001)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


@pytest.fixture
def server() -> Iterator[Scripted]:
    with serving(Scripted()) as running:
        assert isinstance(running, Scripted)
        yield running


def tasks(count: int, text: str = "query number {}.") -> list[Task]:
    return [
        Task(f"q{n}", text.format(n), tuple(Candidate(f"d{n}-{i}", f"passage {i} on {n}") for i in range(DEPTH)))
        for n in range(count)
    ]


def label(server: Scripted, ledger: Ledger, count: int = 4, **options: Any) -> list[Ranking]:
    chosen = {"kind": "litellm", "model": "openai/test", "api_base": server.url, "concurrency": 2, "attempts": 2}
    made = teacher_from({**chosen, **options})
    return list(made.label(tasks(count), ledger, lambda done, total, unit="": None))


def is_about(body: dict[str, Any], number: int) -> bool:
    return f"query number {number}." in json.dumps(body["messages"])


def only(number: int, reply: Reply) -> Callable[[dict[str, Any]], Reply]:
    """`reply` to one query, the right answer to all others."""
    return lambda body: reply if is_about(body, number) else right(body)


LONG = [
    error(400, "This model's maximum context length is 4096 tokens; you asked for 9000.", "context_length_exceeded"),
    error(413, "Payload Too Large"),
    (413, "<html>413 Request Entity Too Large</html>"),
    error(400, "prompt is too long: 210000 tokens > 200000 maximum"),
    (422, {"error": "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000"}),
    (
        400,
        {"object": "error", "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context"},
    ),
    error(400, "The input token count (40000) exceeds the maximum number of tokens allowed (32768)."),
    error(
        429,
        "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 38000.",
        "rate_limit_exceeded",
    ),
    error(500, "the request exceeds the available context size. try increasing the context size"),
    (200, {"error": {"message": "This endpoint's maximum context length is 4096 tokens.", "code": 400}}),
]
FILTERED = [
    error(
        400, "The response was filtered due to the prompt triggering the content management policy.", "content_filter"
    ),
    error(400, "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_prompt"),
    (403, {"error": {"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["violence"]}}}),
    error(400, "Content Exists Risk"),
    error(400, "Input data may contain inappropriate content.", "data_inspection_failed"),
    (200, {"choices": [{"index": 0, "finish_reason": "content_filter"}], "usage": {"prompt_tokens": 9}}),
    (200, {"choices": [{"index": 0, "finish_reason": "SAFETY", "message": {"content": None}}]}),
    (200, {"choices": [{"index": 0, "finish_reason": "sensitive", "message": {"content": "[1] > ["}}]}),
]
UNANSWERED = [
    error(500, "internal", "server_error"),
    error(504, "upstream timed out"),
    error(422, "messages[1].content is malformed"),
    (200, {"choices": []}),
    (200, {"choices": None, "usage": {"prompt_tokens": 7, "completion_tokens": 3}}),
    (200, {"choices": [{"message": None, "finish_reason": "stop"}]}),
    (200, {"choices": [{"error": {"code": 502, "message": "Provider returned error"}, "message": {"content": ""}}]}),
    (200, {"error": {"message": "overloaded, sorry", "type": "server_error"}}),
    (200, {"error": "something went wrong"}),
    (200, "null"),
    (200, "[1, 2]"),
    (200, b"\xff\xfe\x00"),
    (200, "[" * 100_000),
    (200, ""),
    (204, ""),
    (202, {"status": "queued"}),
    (200, "<html>gateway</html>"),
]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        *((reply, "too long") for reply in LONG),
        *((reply, "refused") for reply in FILTERED),
        *((reply, "no answer") for reply in UNANSWERED),
    ],
)
def test_one_query_that_cannot_be_answered_is_a_failed_label(
    server: Scripted, ledger: Ledger, reply: Reply, reason: str
) -> None:
    server.script = only(2, reply)
    found = label(server, ledger)

    assert [ranking.verdict for ranking in found] == ["ok", "ok", "failed", "ok"]
    assert (found[2].reason, found[2].ranked) == (reason, ())
    asked = len(server.bodies)
    meter = MeteredLedger(ledger)
    assert label(server, meter, 5)[:4] == found, "another budget has the same labels"
    assert len(server.bodies) == asked + 1, "what failed is not asked again"
    assert meter.used.calls == ledger.paid.calls, "what was paid in vain counts"

    ledger.given_up_since = float("inf")
    server.script = right
    assert [ranking.verdict for ranking in label(server, ledger)] == ["ok"] * 4, "unless that is wished"
    ledger.given_up_since = 0.0
    assert label(server, ledger)[2].verdict == "ok"
    assert len(server.bodies) == asked + 2


def test_what_cannot_be_read_is_kept_as_it_came_with_what_it_cost(server: Scripted, ledger: Ledger) -> None:
    said = {"choices": None, "usage": {"prompt_tokens": 7, "completion_tokens": 3}, "note": "half \ud83d"}
    server.script = only(1, (200, said))
    label(server, ledger, price={"input": 1e6, "output": 1e6}, attempts=3)

    misses = list(ledger.misses())
    assert [miss.kind for miss in misses] == ["no answer"] * 3
    assert {miss.call.usd for miss in misses} == {10.0}
    assert json.loads(misses[0].call.response)["usage"] == said["usage"]


@pytest.mark.parametrize(
    "reply",
    [
        error(401, "no"),
        error(403, "You are not allowed to use this model"),
        error(404, "model not found"),
        error(402, "Insufficient Balance"),
        error(429, "You exceeded your current quota", "insufficient_quota"),
        error(400, "API key not valid. Please pass a valid API key."),
        error(400, "Your credit balance is too low to access the Anthropic API."),
        error(400, "The model `llama2` has been decommissioned", "model_decommissioned"),
        (200, {"error": {"message": "No auth credentials found", "code": 401}}),
    ],
)
def test_what_concerns_the_account_stops_at_once(server: Scripted, ledger: Ledger, reply: Reply) -> None:
    server.script = lambda body: reply
    with pytest.raises(FatalProviderError):
        label(server, ledger, 100)
    assert len(server.bodies) <= 2


@pytest.mark.parametrize("finish", ["length", "MAX_TOKENS", "model_length", "model_context_window_exceeded"])
def test_a_cut_answer_is_cut_whatever_its_provider_calls_it(server: Scripted, ledger: Ledger, finish: str) -> None:
    server.script = only(0, (201, completion("m", "[2] > [1] > [3]", finish, 100)))
    found = label(server, ledger, 1)

    assert found[0].reason == "missing, truncated"


def test_what_waits_for_a_slot_is_not_sent_once_the_account_is_refused(server: Scripted, ledger: Ledger) -> None:
    server.latency = 0.3
    server.script = lambda body: error(401, "no such key") if server.in_flight == IN_FLIGHT else right(body)

    with pytest.raises(FatalProviderError, match="no such key"):
        label(server, ledger, 3 * IN_FLIGHT, concurrency=IN_FLIGHT)
    # More are claimed and ready than may be in flight; none of these starts, and those that did are paid and kept.
    assert len(server.bodies) == server.most_in_flight == IN_FLIGHT
    assert len(ledger) == IN_FLIGHT - 1 and not ledger.under_way(None)


def test_what_waits_for_a_slot_is_not_billed_when_all_is_interrupted(server: Scripted, ledger: Ledger) -> None:
    server.latency, waiting = 30, IN_FLIGHT // 8
    reserved: list[float] = []

    def interrupt() -> None:
        until = time.monotonic() + 60
        while (server.in_flight, ledger.under_way(None)) != (IN_FLIGHT, IN_FLIGHT + waiting):
            assert time.monotonic() < until
            time.sleep(0.01)
        reserved.append(ledger.balance("").reserved)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    # A suite that a shell started in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            label(server, ledger, 3 * IN_FLIGHT, concurrency=IN_FLIGHT, price={"input": 1, "output": 1})
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    left = ledger.balance("")
    assert left.unconfirmed == pytest.approx(reserved[0] * IN_FLIGHT / (IN_FLIGHT + waiting), rel=0.01)
    assert not left.reserved and not ledger.under_way(None)


def test_an_error_that_quotes_the_prompt_is_not_about_what_the_prompt_says(server: Scripted, ledger: Ledger) -> None:
    passage = "how to check that an API key is not valid, a credit balance is too low, or a prompt is too long"
    server.script = only(2, error(400, f'cannot parse "{passage}"'))

    assert label(server, ledger)[2].reason == "no answer"


def test_the_first_twenty_failing_stop_and_the_query_and_the_words_are_named(server: Scripted, ledger: Ledger) -> None:
    server.script = lambda body: error(400, "prompt is too long: 9 tokens > 8 maximum")
    with pytest.raises(UserError, match=r"20 queries in a row .* query 'q\d+': .*9 tokens > 8") as caught:
        label(server, ledger, 1000)

    assert len(server.bodies) <= 22
    assert "max_passage_words" in str(caught.value.remedy)
    server.script = right
    assert {ranking.verdict for ranking in label(server, ledger, 30)} == {"ok"}, "then it was not about the queries"


def test_answers_that_are_all_cut_are_not_the_queries_fault(server: Scripted, ledger: Ledger) -> None:
    server.script = lambda body: (200, completion(body["model"], "I think that", "length", 10))
    with pytest.raises(UserError, match="can be used"):
        label(server, ledger, 100)
    server.script = right

    assert {ranking.verdict for ranking in label(server, ledger, 30)} == {"ok"}


def test_an_outage_in_mid_run_stops_and_loses_nothing(server: Scripted, ledger: Ledger) -> None:
    server.script = lambda body: right(body) if len(server.bodies) < 500 else error(503, "maintenance")
    with pytest.raises(UserError, match="maintenance"):
        label(server, ledger, 1000)
    paid = len(ledger)
    server.script = right

    assert {ranking.verdict for ranking in label(server, ledger, 1000)} == {"ok"}
    assert paid >= 490 and len(ledger) == 1000


@pytest.mark.parametrize(("tolerate", "stops"), [(0.05, True), (0.2, False), (0.0, True)])
def test_a_share_of_failures_above_what_is_tolerated_stops(
    server: Scripted, ledger: Ledger, tolerate: float, stops: bool
) -> None:
    server.script = lambda body: error(422, "no") if any(is_about(body, n) for n in range(0, 100, 10)) else right(body)
    if stops:
        with pytest.raises(UserError, match=r"on_failure.tolerate"):
            label(server, ledger, 100, on_failure={"tolerate": tolerate})
        assert len(server.bodies) < 100
    else:
        verdicts = [ranking.verdict for ranking in label(server, ledger, 100, on_failure={"tolerate": tolerate})]
        assert (verdicts.count("failed"), verdicts.count("ok")) == (10, 90)


def test_a_query_of_many_questions_does_not_stop_the_others(server: Scripted, ledger: Ledger) -> None:
    chosen = (200, completion("test", "Passage A", "stop", 100))
    server.script = lambda body: error(400, "prompt is too long") if is_about(body, 0) else chosen
    found = label(server, ledger, 3, ask={"strategy": "pairwise"}, concurrency=8)

    assert found[0].verdict == "failed" and found[0].reason == "too long"
    assert all(ranking.reason != "too long" for ranking in found[1:])


def test_how_many_may_fail_is_no_part_of_the_key() -> None:
    plain, lenient = (
        teacher_from({"kind": "litellm", "model": "openai/test", **more})
        for more in ({}, {"on_failure": {"tolerate": 1}})
    )
    assert plain.identity == lenient.identity


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON, usage=JSON, finish=JSON, name=JSON)
def test_whatever_an_answer_holds_one_label_comes_of_it(
    server: Scripted, tmp_path: Path, content: Any, usage: Any, finish: Any, name: Any
) -> None:
    ledger = Ledger(tmp_path / f"{len(server.bodies)}.sqlite")
    message = {"role": "assistant", "content": content}
    answer = {"id": name, "choices": [{"message": message, "finish_reason": finish}], "usage": usage}
    server.script = only(1, (200, json.dumps(answer)))
    found = label(server, ledger, 3, attempts=1)

    assert (found[0].verdict, found[2].verdict) == ("ok", "ok")
    kept = [*ledger.calls(), *(miss.call for miss in ledger.misses())]
    assert len(kept) >= 3, "what was paid for is in the ledger"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (5, "5"),
        (True, "True"),
        ({"text": "[1] > [2]"}, "[1] > [2]"),
        ([{"type": "text", "text": 5}], "5"),
        (["[2]", " > [1]", None], "[2] > [1]"),
    ],
)
def test_content_of_any_type_is_read_as_text(server: Scripted, ledger: Ledger, said: Any, text: str) -> None:
    server.script = lambda body: (200, {"choices": [{"message": {"content": said}, "finish_reason": "stop"}]})
    label(server, ledger, 1)

    (kept,) = ledger.calls()
    assert kept.response == text


@pytest.mark.parametrize("kind", ["thinking", "reasoning", "redacted_thinking"])
def test_thinking_parts_count_as_thought(server: Scripted, ledger: Ledger, kind: str) -> None:
    def script(body: dict[str, Any]) -> Reply:
        answer = right(body)[1]
        text = answer["choices"][0]["message"]["content"]
        answer["choices"][0]["message"]["content"] = [
            {"type": kind, "text": "[1] > [2] perhaps"},
            {"type": "text", "text": text},
        ]
        return 200, answer

    server.script = script
    assert label(server, ledger, 1)[0].verdict == "ok"
    assert 0 < ledger.paid.reasoning_tokens < ledger.paid.output_tokens


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "hex", "no-such-thing", "latin-1"])
def test_an_answer_is_read_whatever_its_header_says_of_its_bytes(
    server: Scripted, ledger: Ledger, encoding: str
) -> None:
    server.content_type = f"application/json; charset={encoding.removesuffix('-sig')}"
    mark = b"\xef\xbb\xbf" if encoding.endswith("-sig") else b""
    server.script = lambda body: (200, mark + json.dumps(right(body)[1]).encode())

    assert [ranking.verdict for ranking in label(server, ledger, 2)] == ["ok", "ok"]


def test_an_address_may_hold_a_password_which_nobody_sees(server: Scripted, ledger: Ledger) -> None:
    address = server.url.replace("://", "://someone:pass%20w0rd@")
    assert [ranking.verdict for ranking in label(server, ledger, 2, api_base=address)] == ["ok", "ok"]
    expected = base64.b64encode(b"someone:pass w0rd").decode()
    assert server.headers[0]["Authorization"] == f"Basic {expected}"

    echo = f"who is someone:pass w0rd ({expected}) at {address}?"
    server.script = lambda body: error(401, echo)
    with pytest.raises(FatalProviderError) as caught:
        label(server, ledger, 3, api_base=address)
    server.script = lambda body: (200, {"choices": [{"message": {"content": echo}}]})
    found = label(server, ledger, 4, api_base=address)
    assert not any(secret in str(caught.value) + repr(found) for secret in ("pass w0rd", "pass%20w0rd", expected))


def test_a_key_with_a_line_break_around_it_is_sent_without(
    server: Scripted, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{SECRET}\n")
    label(server, ledger, 1)
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"


ECHOES = [
    error(400, f"your key {SECRET} may not ask this"),
    error(500, f"Authorization: Bearer {SECRET}"),
    (200, {"error": f"bad {SECRET}"}),
    (200, f"<html>{SECRET}</html>"),
    (200, {"id": SECRET, "choices": [{"message": {"content": f"{SECRET} [2] > [1] > [3] > [4]"}}]}),
]


@pytest.mark.parametrize("echo", ECHOES)
def test_what_a_provider_echoes_is_masked_in_labels_and_ledger(
    server: Scripted, ledger: Ledger, tmp_path: Path, echo: Reply
) -> None:
    server.script = only(1, echo)
    found = label(server, ledger)

    assert SECRET not in repr(found)
    ledger.close()
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "messages: too odd"), (400, "prompt is too long: 9 tokens > 8 maximum"), (529, "overloaded")],
)
def test_a_provider_with_its_own_protocol_fails_one_query_too(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, status: int, message: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    with serving(_Anthropic(said=f"{message} {SECRET}", failing=status)) as running:
        assert isinstance(running, Scripted)
        found = label(running, ledger, model="anthropic/claude-3-5-haiku-latest", api_base=running.url[:-3])

    assert [ranking.verdict for ranking in found] == ["ok", "ok", "failed", "ok"]
    assert found[2].reason == ("too long" if "long" in message else "no answer")
    assert message.split(":")[0] in found[2].raw and SECRET not in repr(found)


def row(line: dict[str, Any]) -> dict[str, Any]:
    body = right(line["body"])[1]
    # JSON may hold characters that end a line elsewhere.
    body["note"] = "one\u2028two\x85three"
    return {"id": "r", "custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}


BAD_ROWS = [
    ({"response": {"status_code": 400, "body": error(400, "maximum context length is 8")[1]}}, "too long"),
    ({"response": {"status_code": 400, "body": error(400, "flagged", "content_filter")[1]}}, "refused"),
    ({"response": {"status_code": 500, "body": error(500, "oops")[1]}}, "no answer"),
    ({"response": {"status_code": 200, "body": {"choices": []}}}, "no answer"),
    ({"response": {"status_code": "400", "body": error(400, "maximum context length is 8")[1]}}, "too long"),
    ({"response": None, "error": {"code": "batch_expired", "message": f"expired {SECRET}"}}, "no answer"),
    (None, "no answer"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
def test_rows_of_a_batch_that_failed_are_labels_that_failed(
    server: Scripted, ledger: Ledger, bad: dict[str, Any] | None, reason: str
) -> None:
    def rows(line: dict[str, Any]) -> dict[str, Any] | None:
        if not is_about(line["body"], 2):
            return row(line)
        return None if bad is None else {"id": "r", "custom_id": line["custom_id"], "error": None, **bad}

    server.rows = rows
    found = label(server, ledger, batch=True, batch_seconds=0.01)

    assert [ranking.verdict for ranking in found] == ["ok", "ok", "failed", "ok"]
    assert found[2].reason == reason and SECRET not in repr(found)
    label(server, ledger, batch=True, batch_seconds=0.01)
    assert len(server.batches) == 1


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 200])
def test_rows_whose_parameters_were_refused_are_sent_again_without(
    server: Scripted, ledger: Ledger, status: int
) -> None:
    def rows(line: dict[str, Any]) -> dict[str, Any] | None:
        refused = "temperature" if "temperature" in line["body"] else "max_tokens"
        if refused not in line["body"]:
            return row(line)
        said = error(400, f"Unsupported parameter: '{refused}' is not supported with this model.")[1]
        return {"id": "r", "custom_id": line["custom_id"], "response": {"status_code": status, "body": said}}

    server.rows = rows
    found = label(server, ledger, batch=True, batch_seconds=0.01)
    assert [ranking.verdict for ranking in found] == ["ok"] * 4 and len(ledger) == 4
    assert len(server.batches) == 3, "one for all rows and each of the two parameters"
    sent = json.loads(server.files[server.batches["batch-2"]].decode().splitlines()[0])["body"]
    assert "temperature" not in sent and sent["max_completion_tokens"] > 0
    label(server, ledger, 6, batch=True, batch_seconds=0.01)
    assert len(server.batches) == 4, "what was learned holds for all later rows"


@pytest.mark.slow
def test_a_batch_that_failed_as_a_whole_shows_the_providers_reason(server: Scripted, ledger: Ledger) -> None:
    server.rows, server.ended = lambda line: None, "failed"
    server.errors = [
        {"code": "token_limit_exceeded", "message": f"Enqueued token limit reached {SECRET}", "line": None}
    ]
    with pytest.raises(UserError, match="Enqueued token limit reached") as caught:
        label(server, ledger, batch=True, batch_seconds=0.01)
    assert SECRET not in str(caught.value)


class _Anthropic(Scripted):
    """Speaks Anthropic's protocol; the third query fails."""

    def __init__(self, said: str, failing: int) -> None:
        super().__init__()
        self.said, self.failing = said, failing

    async def anthropic(self, request: Any) -> Any:
        body = await request.json()
        if is_about(body, 2):
            self.bodies.append(body)
            problem = {"type": "invalid_request_error", "message": self.said}
            return web.json_response({"type": "error", "error": problem}, status=self.failing)
        return await super().anthropic(request)


ORDER = "[4] > [3] > [2] > [1]"
SAID: list[tuple[Any, tuple[str, ...]]] = [
    ([{"type": "output_text", "text": {"value": ORDER, "annotations": []}}], ("3", "2", "1", "0")),
    ([{"type": "text", "content": "[4] > [3]"}, {"type": "text", "text": " > [2] > [1]"}], ("3", "2", "1", "0")),
    (f"<seed:think>[1] > [2] > [3] > [4]</seed:think>{ORDER}", ("3", "2", "1", "0")),
    ("<seed:think>maybe [1] > [2] > [3] > [4]</seed:think>", ()),
]


@pytest.mark.parametrize(("content", "order"), SAID)
def test_what_is_said_is_read_and_what_is_thought_is_not(
    server: Scripted, ledger: Ledger, content: Any, order: tuple[str, ...]
) -> None:
    server.script = lambda body: (200, completion("test", content, "stop", 9))
    (found, *_) = label(server, ledger, 3, on_failure={"tolerate": 1.0})
    assert tuple(id.rpartition("-")[2] for id in found.ranked) == order
    assert found.verdict == ("ok" if order else "failed")


def test_a_parameter_refused_in_an_answer_that_says_200_is_learned(server: Scripted, ledger: Ledger) -> None:
    said = {"error": {"message": "Unsupported parameter: 'temperature' is not supported with this model."}}
    server.script = lambda body: (200, said) if "temperature" in body else right(body)
    assert [ranking.verdict for ranking in label(server, ledger, concurrency=1)] == ["ok"] * 4
    assert len(server.bodies) == 5 and ledger.paid.calls == 4, "the refusal is no answer, and costs nothing"


def test_a_key_that_is_named_as_a_successor_is_not_learned(
    server: Scripted, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "max_secret_of_mine")
    said = "Unsupported parameter: 'max_tokens'. Use 'max_secret_of_mine' instead."
    server.script = lambda body: error(400, said) if "max_tokens" in body else right(body)
    assert [ranking.verdict for ranking in label(server, ledger)] == ["ok"] * 4
    kept = "".join(file.read_text() for file in (tmp_path / "cache").rglob("*.json"))
    assert "max_completion_tokens" in kept and "secret" not in kept
