from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.ledger.calls import MISSES, Call, Miss, Usage, call_key
from harness.ledger.ledger import Ledger
from harness.ledger.log_carrier import carry_over
from harness.ledger.sqlite_mode import set_journal
from harness.ledger.views import MeteredLedger


def spent(ledger: Ledger) -> float:
    """USD of everything in the file."""
    return sum(call.usd for call in ledger.calls()) + sum(miss.call.usd for miss in ledger.misses())


def call(name: object, response: str = "yes", **more: object) -> Call:
    return Call(call_key("model", str(name)), "model", f'{{"ask": "{name}"}}', response, **more)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "deep" / "ledger.sqlite")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.tuples(st.text(max_size=3), json_values, json_values, st.integers(0, 3)),
    st.tuples(st.text(max_size=3), json_values, json_values, st.integers(0, 3)),
)
def test_a_key_stands_for_model_request_sampling_and_repeat(
    one: tuple[str, object, object, int], two: tuple[str, object, object, int]
) -> None:
    # repr tells 1 from 1.0 and from True, as JSON does.
    assert (call_key(*one) == call_key(*two)) == (_sorted(one) == _sorted(two))


def _sorted(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{_sorted(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(map(_sorted, value)) + "]" if isinstance(value, (list, tuple)) else repr(value)


def test_answers_come_back_whole(ledger: Ledger) -> None:
    put = call(
        "é\n",
        "réponse ✓",
        input_tokens=7,
        cached_tokens=3,
        output_tokens=5,
        reasoning_tokens=2,
        usd=0.25,
        seconds=1.5,
        provider_id="id-1",
        created=9.0,
    )
    ledger.put(put)
    answer = ledger.get(put.key)
    assert answer is not None
    assert answer == ("réponse ✓", 7, 3, 5, 2, 0.25, 1.5)
    assert list(ledger.calls()) == [put]
    assert ledger.get(call("other").key) is None


def test_the_first_answer_to_a_call_stays(ledger: Ledger) -> None:
    ledger.put(call("x", "first"))
    ledger.put(call("x", "second"))
    assert ledger.get(call("x").key).response == "first"  # type: ignore[union-attr]
    assert len(ledger) == 1
    assert ledger.paid.calls == 2


def test_an_empty_response_is_no_answer_and_takes_its_batch_with_it(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no answer"):
        ledger.put_many([call("good"), call("bad", "")])
    assert len(ledger) == 0
    assert ledger.paid == Usage()


def test_a_batch_with_a_row_that_sqlite_refuses_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.Error):
        ledger.put_many([call("good"), call("bad", provider_id=None)])
    assert len(ledger) == 0
    ledger.put(call("later"))
    assert len(ledger) == 1


def test_more_keys_than_sqlite_takes_at_once(ledger: Ledger) -> None:
    calls = [call(number, str(number)) for number in range(2_500)]
    ledger.put_many(calls)
    wanted = [item.key for item in calls] + [call("missing").key] + [calls[0].key]
    found = ledger.get_many(wanted)
    assert {key: answer.response for key, answer in found.items()} == {item.key: item.response for item in calls}
    assert ledger.held(wanted) == set(found)
    assert [item.key for item in ledger.calls()] == sorted(found)


def test_what_was_paid_is_added_up(ledger: Ledger) -> None:
    ledger.put_many(
        [
            call(1, input_tokens=10, cached_tokens=4, usd=0.5),
            call(2, output_tokens=3, reasoning_tokens=1, usd=0.25, seconds=2.0),
        ]
    )
    assert ledger.paid == Usage(2, 10, 4, 3, 1, 0.75, 2.0)
    assert Ledger(ledger.path).paid == Usage()


def test_a_meter_tells_what_work_cost_here_from_what_it_would_cost_alone(ledger: Ledger) -> None:
    ledger.put(call("old", input_tokens=100, usd=1.0))
    meter = MeteredLedger(ledger)
    keys = [call("old").key, call("new").key]
    assert len(meter.get_many(keys)) == 1
    meter.put(call("new", input_tokens=10, usd=0.5))
    meter.get_many(keys)
    assert (meter.paid.usd, meter.paid.calls) == (0.5, 1)
    assert (meter.used.usd, meter.used.calls, meter.used.input_tokens) == (1.5, 2, 110)
    assert ledger.paid.calls == 2
    assert meter.held(keys) == set(keys)


def test_a_miss_is_paid_for_and_never_given_back(ledger: Ledger) -> None:
    lost = call(
        "x",
        "",
        input_tokens=10,
        cached_tokens=1,
        output_tokens=3,
        reasoning_tokens=2,
        usd=0.5,
        seconds=1.0,
        created=9.0,
    )
    cut = lost._replace(response="[2] > [", provider_id="id-2")
    ledger.put_miss(lost, "empty")
    ledger.put_miss(cut, "truncated")
    assert ledger.get(lost.key) is None and ledger.held([lost.key]) == set() and len(ledger) == 0
    assert list(ledger.misses()) == [Miss("empty", lost), Miss("truncated", cut)]
    assert ledger.paid == Usage(2, 20, 2, 6, 4, 1.0, 2.0)
    ledger.put(call("x", "an answer", usd=0.25))
    assert ledger.get(lost.key).response == "an answer"  # type: ignore[union-attr]
    assert spent(Ledger(ledger.path)) == 1.25
    assert Ledger(ledger.path).paid == Usage()


def test_a_miss_of_an_unknown_kind_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="only as refused, truncated, empty"):
        ledger.put_miss(call("x"), "lost")
    assert list(ledger.misses()) == [] and ledger.paid == Usage() and spent(ledger) == 0


def test_more_misses_than_are_read_at_once(ledger: Ledger) -> None:
    assert len(ledger) == 0
    with sqlite3.connect(ledger.path) as connection:
        connection.executemany(
            "INSERT INTO misses VALUES (?, ?, 'm', 'empty', 0, 0, 0, 0, 0.5, 0, 0, '', '', ?)",
            [(number, bytes(32), zlib.compress(b"{}")) for number in range(1, 2_001)],
        )
    assert len(list(ledger.misses())) == 2_000 and spent(ledger) == 1_000


def test_a_meter_counts_every_miss_once(ledger: Ledger) -> None:
    meter = MeteredLedger(ledger)
    for kind in MISSES:
        meter.put_miss(call("x", "", input_tokens=10, usd=0.5), kind)
    meter.put(call("x", usd=0.25))
    assert meter.paid == meter.used == ledger.paid
    assert (meter.used.calls, meter.used.usd, meter.used.input_tokens) == (5, 2.25, 40)


VERSION_1 = """CREATE TABLE calls (
    key BLOB PRIMARY KEY NOT NULL, model TEXT NOT NULL, input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, usd REAL NOT NULL, seconds REAL NOT NULL,
    created REAL NOT NULL,
    provider_id TEXT NOT NULL, response TEXT NOT NULL, request BLOB NOT NULL
)"""


def _old_ledger(path: Path) -> Call:
    kept = call("old", "yes", input_tokens=7, usd=0.5, created=3.0, provider_id="p")
    with sqlite3.connect(path) as connection:
        connection.execute(VERSION_1)
        row = (
            bytes.fromhex(kept.key),
            "model",
            7,
            0,
            0,
            0,
            0.5,
            0.0,
            3.0,
            "p",
            "yes",
            zlib.compress(kept.request.encode()),
        )
        connection.execute(f"INSERT INTO calls VALUES ({','.join('?' * 12)})", row)
        connection.execute("PRAGMA user_version = 1")
    return kept


def test_a_ledger_of_version_1_keeps_its_calls_and_takes_misses(tmp_path: Path) -> None:
    kept = _old_ledger(tmp_path / "ledger.sqlite")
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert list(ledger.calls()) == [kept] and list(ledger.misses()) == []
    ledger.put_miss(call("new", "", usd=0.25), "refused")
    assert spent(Ledger(ledger.path)) == 0.75
    assert sqlite3.connect(ledger.path).execute("PRAGMA user_version").fetchone() == (13,)


def _miss_some(path: Path) -> None:
    Ledger(path).put_miss(call("x", ""), "empty")


def test_processes_migrate_one_old_ledger_at_once(tmp_path: Path) -> None:
    _old_ledger(tmp_path / "ledger.sqlite")
    workers = [
        multiprocessing.get_context("fork").Process(target=_miss_some, args=(tmp_path / "ledger.sqlite",))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert len(list(Ledger(tmp_path / "ledger.sqlite").misses())) == 4


def test_calls_of_another_ledger_are_taken_over_but_not_paid(ledger: Ledger) -> None:
    ledger.put_many([call("same"), call("other", "ours")])
    merged = ledger.merge([call("same"), call("other", "theirs"), call("new", usd=1.0)])
    assert (merged.added, merged.same, merged.conflicts) == (1, 1, [call("other").key])
    assert ledger.get(call("other").key).response == "ours"  # type: ignore[union-attr]
    assert len(ledger) == 3 and ledger.paid.usd == 0


def _put_some(path: Path, first: int, count: int) -> None:
    ledger = Ledger(path)
    for number in range(first, first + count):
        ledger.put(call(number, str(number)))


def test_processes_write_at_once_from_the_very_first_opening(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=_put_some, args=(path, start, 60)) for start in (0, 50, 100, 150)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert len(Ledger(path)) == 210


def test_threads_share_one_object(ledger: Ledger) -> None:
    threads = [
        threading.Thread(target=lambda start=start: [ledger.put(call(number)) for number in range(start, start + 50)])
        for start in (0, 25, 50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger) == 100
    assert ledger.paid.calls == 150


def test_a_fork_does_not_use_its_parents_connection(ledger: Ledger) -> None:
    ledger.put(call("parent"))
    child = os.fork()
    if child == 0:
        ledger.put(call("child"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    ledger.put(call("parent again"))
    assert len(ledger) == 3


def _put_until_killed(path: Path) -> None:
    ledger = Ledger(path)
    number = 0
    while True:
        ledger.put_many([call((number, part)) for part in range(40)])
        number += 1


def test_a_killed_process_leaves_whole_batches_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    worker = multiprocessing.get_context("fork").Process(target=_put_until_killed, args=(path,))
    worker.start()
    ledger = Ledger(path)
    deadline = time.monotonic() + 30
    while len(ledger) < 400 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    kept = len(Ledger(path))
    assert kept >= 400
    assert kept % 40 == 0


def test_what_is_written_goes_into_the_file_while_it_is_used(ledger: Ledger) -> None:
    many = [call(number, "yes" * 1000) for number in range(600)]
    for one in many:
        ledger.put(one)

    # A rollback journal has it there at once; where there is a write-ahead log, somebody carries it over.
    until = time.monotonic() + 30
    while ledger.path.stat().st_size < 500 * 3000 and time.monotonic() < until:
        time.sleep(0.01)
    assert ledger.path.stat().st_size >= 500 * 3000
    assert len(ledger.get_many(one.key for one in many)) == 600


def test_no_ledger_comes_of_looking_after_one_that_is_gone(tmp_path: Path) -> None:
    carry_over(tmp_path / "ledger.sqlite")
    (tmp_path / "text").write_text("no ledger")
    carry_over(tmp_path / "text")

    assert [file.name for file in tmp_path.iterdir()] == ["text"] and (tmp_path / "text").read_text() == "no ledger"


def test_a_network_disk_gets_a_rollback_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = [SimpleNamespace(mountpoint="/", fstype="ext4"), SimpleNamespace(mountpoint=str(tmp_path), fstype="nfs4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.put(call(1))
    assert _mode(ledger.path) == "delete"
    assert not list(tmp_path.glob("*-wal"))
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts[:1])
    local = Ledger(tmp_path / "local.sqlite")
    local.put(call(1))
    assert _mode(local.path) == "wal"


class Stubborn(sqlite3.Connection):
    """A connection to a disk where shared memory does not work."""

    def execute(self, sql: str, *more: object) -> sqlite3.Cursor:
        if "WAL" in sql:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *more)


def test_where_a_write_ahead_log_is_refused_another_journal_is_used(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.sqlite", factory=Stubborn, isolation_level=None)
    assert set_journal(connection, tmp_path / "ledger.sqlite") == "delete"
    connection.execute("CREATE TABLE works (x)")
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def _mode(path: Path) -> str:
    return str(sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone()[0])


def test_what_is_no_ledger_or_a_newer_one_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("no database at all, but long enough to have a header" * 50)
    with pytest.raises(UserError, match="cannot be used as the ledger"):
        len(Ledger(text))
    newer = tmp_path / "newer.sqlite"
    len(Ledger(newer))
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="newer version"):
        len(Ledger(newer))


@pytest.mark.slow
def test_ninety_thousand_reads_are_quick(ledger: Ledger) -> None:
    request = '{"messages": "' + "a passage of some length " * 40 + '"}'
    keys = [call_key("model", number) for number in range(90_000)]
    for start in range(0, len(keys), 30_000):
        ledger.put_many(
            [
                Call(key, "model", request, "[1] > [2] > [3] > [4] > [5]", 3_000, 0, 100)
                for key in keys[start : start + 30_000]
            ]
        )
    start_time = time.thread_time()
    assert len(ledger.get_many(keys)) == 90_000
    assert time.thread_time() - start_time < 3
