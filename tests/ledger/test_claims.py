"""Who may ask what: one transaction for all processes."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ledger.calls import Call, Usage, call_key
from harness.ledger.claims import Balance
from harness.ledger.given_up import GivenUp
from harness.ledger.ledger import Ledger
from harness.ledger.views import CacheMiss, MeteredLedger, ReplayLedger


def key(name: object) -> str:
    return call_key("model", str(name))


def call(name: object, **more: object) -> Call:
    return Call(key(name), "model", "{}", "yes", **more)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def state(ledger: Ledger, name: object, usd: float = 0.0, **more: bool) -> str:
    return ledger.claim(key(name), usd, "model", **more).state


def test_a_question_is_asked_by_one_and_read_by_all(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    assert (state(ledger, 1), state(other, 1), state(other, 2)) == ("granted", "taken", "granted")
    assert ledger.claimed([key(1), key(2), key(3)]) == {key(1), key(2)}
    ledger.put(call(1))
    held = other.claim(key(1))
    assert (held.state, held.response and held.response.response) == ("held", "yes")
    other.release(key(2))
    assert state(ledger, 2) == "granted"


def test_the_first_answer_is_what_its_second_asker_reads_too(ledger: Ledger) -> None:
    ledger.put(call(1))
    assert ledger.put(call(1)._replace(response="no")).response == "yes"
    meter = MeteredLedger(ledger)
    assert meter.put(call(1)._replace(response="no", usd=0.5)).response == "yes"
    assert meter.paid.usd == 0.5


def test_paid_and_reserved_and_the_next_never_pass_the_limit(ledger: Ledger) -> None:
    ledger.account, ledger.limit = "sweep", 1.0
    assert (state(ledger, 1, 0.4), state(ledger, 2, 0.4), state(ledger, 3, 0.4)) == ("granted", "granted", "wait")
    assert ledger.left() == pytest.approx(0.2) and state(ledger, 4, 0.2) == "granted"
    ledger.put(call(1, usd=0.1))
    assert state(ledger, 3, 0.3) == "granted"
    assert state(ledger, 5, 0.95) == "over", "whatever comes back of the others"
    free = state(ledger, 6, 0.0)
    assert free == "granted", "what costs nothing is asked under any limit"
    assert ledger.balance("sweep") == Balance(0.1, 0.0, pytest.approx(0.9), 1)
    assert (ledger.under_way("sweep"), ledger.under_way(None), ledger.under_way("other")) == (4, 4, 0)


def test_a_limit_holds_for_later_runs_and_is_each_accounts_own(ledger: Ledger) -> None:
    ledger.account = "a"
    ledger.put_many([call(1, usd=0.3), call(2, usd=0.3)])
    ledger.put_miss(call(3, usd=0.3), "refused")
    later = Ledger(ledger.path)
    later.account, later.limit = "a", 1.0
    assert state(later, 4, 0.2) == "over" and state(later, 4, 0.1) == "granted"
    later.account = "b"
    assert state(later, 5, 1.0) == "granted"
    later.workspace_limit = 2.5
    claim = later.claim(key(6), 0.6, "model")
    assert claim.state == "over" or claim.cap is not None
    assert claim.cap is not None and claim.cap.account == "b"
    later.account = "c"
    claim = later.claim(key(7), 0.6, "model")
    assert (claim.state, claim.cap and claim.cap.account) == ("wait", None)


def _claim_and_wait(path: Path, resumable: bool) -> None:
    ledger = Ledger(path)
    ledger.account = "sweep"
    ledger.claim(key(1), 0.5, "model", resumable=resumable)
    time.sleep(60)


def _killed(ledger: Ledger, resumable: bool) -> None:
    """Another process claims a question and is killed."""
    worker = multiprocessing.get_context("fork").Process(target=_claim_and_wait, args=(ledger.path, resumable))
    worker.start()
    deadline = time.monotonic() + 30
    while not ledger.claimed([key(1)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state(ledger, 1) == "taken"
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()


def test_the_claim_of_a_dead_asker_lapses_and_its_money_may_have_been_billed(ledger: Ledger) -> None:
    ledger.account, ledger.limit = "sweep", 1.0
    _killed(ledger, False)
    assert ledger.balance("sweep").reserved == 0.5
    assert state(ledger, 1, 0.5) == "granted"
    assert ledger.balance("sweep") == Balance(0.0, 0.5, 0.5, 0)
    assert state(ledger, 2, 0.1) == "wait"
    ledger.put(call(1, usd=0.2))
    assert (state(ledger, 2, 0.4), state(ledger, 2, 0.3)) == ("over", "granted")


def test_what_a_batch_was_sent_is_reserved_until_it_is_read(ledger: Ledger) -> None:
    ledger.account, ledger.limit = "sweep", 1.0
    _killed(ledger, True)
    assert state(ledger, 2, 0.6) == "over", "the money stays promised, and nobody living may free it"
    assert state(ledger, 1, 0.5, resumable=True) == "granted"
    assert ledger.balance("sweep") == Balance(0.0, 0.0, 0.5, 0)
    ledger.release(key(1), abandoned=True)
    assert state(ledger, 1, 0.5, resumable=True) == "granted"
    ledger.release(key(1), abandoned=True)
    assert state(ledger, 1, 0.5) == "granted", "asked anew elsewhere, both may be billed"
    assert ledger.balance("sweep") == Balance(0.0, 0.5, 0.5, 0)


def test_an_asker_on_another_machine_lives_as_long_as_its_lease(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    assert state(other, 1) == "granted"
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("UPDATE askers SET host = 'elsewhere', pid = 1, until = ?", [time.time() + 100])
    assert state(ledger, 1) == "taken"
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("UPDATE askers SET until = ? WHERE host = 'elsewhere'", [time.time() - 1])
    other.renew()
    assert state(ledger, 1) == "taken", "a sign of life renews it"
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("UPDATE askers SET until = ? WHERE host = 'elsewhere'", [time.time() - 1])
    assert state(ledger, 1) == "granted"


def test_an_answer_lost_on_the_way_counts_and_its_question_stays_claimed(ledger: Ledger) -> None:
    ledger.limit = 1.0
    assert state(ledger, 1, 0.4) == "granted"
    ledger.lose(key(1))
    assert ledger.balance("") == Balance(0.0, 0.4, 0.0, 0) and state(ledger, 1, 0.4) == "taken"
    assert state(ledger, 1, 0.4, holding=True) == "granted"
    ledger.lose(key(1))
    assert state(ledger, 1, 0.4, holding=True) == "over"


def test_after_an_answer_dearer_than_its_reserve_so_much_is_reserved(ledger: Ledger) -> None:
    ledger.claim(key(1), 0.1, "model")
    ledger.put(call(1, usd=0.7), overrun=0.6)
    claim = Ledger(ledger.path).claim(key(2), 0.1, "model")
    assert (claim.state, claim.usd) == ("granted", pytest.approx(0.7))
    assert ledger.claim(key(3), 0.1, "another model").usd == pytest.approx(0.1)


def test_an_estimated_answer_counts_in_full_against_the_limit(ledger: Ledger) -> None:
    ledger.claim(key(1), 0.5, "model")
    ledger.put(call(1, usd=0.1, estimated=True))
    assert ledger.balance("") == Balance(0.1, pytest.approx(0.4), 0.0, 1)


def test_what_one_gave_up_is_read_by_all_others(ledger: Ledger) -> None:
    other, meter = Ledger(ledger.path), MeteredLedger(Ledger(ledger.path))
    ledger.claim(key(1), 0.5)
    assert state(other, 1) == "taken"
    lost = GivenUp(key(1), "no answer", "we failed", Usage(calls=2, usd=0.3))
    ledger.release(key(1), gives_up=lost)

    claim = meter.claim(key(1), 0.5)
    assert (claim.state, claim.given_up) == ("given up", lost) == (state(other, 1), other.claim(key(1)).given_up)
    assert meter.used.usd == 0.3 and other.balance(None).reserved == 0 == other.under_way(None)

    other.given_up_since = float("inf")
    assert state(other, 1) == "granted", "who asks for failed ones again does so"
    other.put(call(1))
    assert state(ledger, 1) == "held"


def test_a_question_that_is_asked_again_is_not_asked_by_others_meanwhile(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    ledger.limit = 1.0
    ledger.claim(key(1), 0.9, "model")
    ledger.put_miss(call(1, usd=0.2), "empty", asks_again=True)
    assert ledger.balance("") == Balance(0.2, 0.0, 0.0, 1), "what was reserved beyond the price is free"
    assert state(other, 1) == "taken" and ledger.claim(key(1), 0.9, "model", holding=True).state == "over"
    assert ledger.claim(key(1), 0.5, "model", holding=True).state == "granted"
    gives_up = GivenUp(key(1), "empty", "", Usage(calls=2, usd=0.4))
    ledger.put_miss(call(1, usd=0.2), "empty", gives_up=gives_up)
    assert state(other, 1) == "given up" and ledger.balance("") == Balance(0.4, 0.0, 0.0, 2)

    ledger.withdraw_given_up([key(1)])
    assert state(other, 1) == "granted"


def test_a_replay_claims_nothing(ledger: Ledger) -> None:
    with pytest.raises(CacheMiss):
        ReplayLedger(ledger).claim(key(1))


def test_a_process_that_closes_its_ledger_has_left(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    other.claim(key(1), 0.5, "model")
    other.close()
    ledger.tidy()
    assert ledger.balance("") == Balance(0.0, 0.5, 0.0, 0) and state(ledger, 1) == "granted"


def _claim_all(path: Path, seed: int) -> None:
    ledger = Ledger(path)
    ledger.limit = 10.0
    for number in range(seed % 3, 200):
        if state(ledger, number, 0.09) == "granted":
            ledger.put(call(number, usd=0.08, provider_id=str(seed)))


def test_processes_share_questions_and_limit(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_claim_all, args=(path, seed)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = Ledger(path).balance("")
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert found.calls == len(Ledger(path)) and 9.8 < found.paid <= 10.0 and found.reserved == 0


def test_threads_of_one_ledger_do_not_ask_the_same(ledger: Ledger) -> None:
    granted: list[str] = []

    def claim() -> None:
        granted.extend(name for number in range(30) if state(ledger, number) == "granted" for name in [str(number)])

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted, key=int) == [str(number) for number in range(30)]


moves = st.lists(
    st.tuples(st.sampled_from(["claim", "put", "lose", "release", "again"]), st.integers(0, 4), st.floats(0.01, 0.6)),
    max_size=30,
)


@settings(deadline=None, max_examples=40)
@given(moves)
def test_whatever_happens_nothing_passes_the_limit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, float]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("moves") / "ledger.sqlite")
    ledger.limit, mine, number = 1.0, dict[int, float](), 100
    for step, place, usd in steps:
        if step == "claim" and state(ledger, place, usd) == "granted":
            mine[place] = usd
        elif step == "put" and mine.get(place):
            number += 1
            ledger.put(call(place, usd=mine.pop(place) * usd))
        elif step == "lose" and mine.get(place):
            ledger.lose(key(place))
            mine[place] = 0.0
        elif step == "again" and mine.get(place) == 0.0 and state(ledger, place, usd, holding=True) == "granted":
            mine[place] = usd
        elif step == "release" and place in mine:
            ledger.release(key(place), unconfirmed=usd > 0.3)
            mine.pop(place)
        there = ledger.balance("")
        assert there.spent + there.reserved <= 1.0 + 1e-9
        assert there.reserved == pytest.approx(sum(math.ceil(usd * 1e9) for usd in mine.values()) / 1e9)
        assert ledger.under_way("") == len(mine)
    ledger.close()
