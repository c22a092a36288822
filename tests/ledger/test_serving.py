"""One process has the file open for others: their claims are theirs, and an order that comes twice counts once."""

from __future__ import annotations

import os
from operator import methodcaller
from pathlib import Path

import psutil
import pytest

from harness.ledger.asker import Asker, host
from harness.ledger.ledger import Ledger
from harness.ledger.serving_ledger import ServingLedger
from tests.ledger.test_ledger import call

HERE = Asker(host(), os.getpid(), psutil.Process().create_time(), 0.0)
ELSEWHERE, THIRD = Asker("node2 pid:[7]", 5, 1.0, 0.0), Asker("node3 pid:[8]", 6, 2.0, 0.0)
KEY = call("a").key


@pytest.fixture
def serving(tmp_path: Path) -> ServingLedger:
    return begun(tmp_path)


def begun(folder: Path, sweep: str = "sweep") -> ServingLedger:
    ledger = ServingLedger(folder / "ledger.sqlite", sweep)
    ledger.account, ledger.limit = "sweep.yaml", 1.0
    return ledger


def test_what_is_paid_counts_once_however_often_it_is_handed_in(serving: ServingLedger, tmp_path: Path) -> None:
    serving.serve(HERE, methodcaller("claim", KEY, 0.5, "m"))
    put, missed = methodcaller("put", call("a", usd=0.2)), methodcaller("put_miss", call("b", "", usd=0.1), "refused")
    for _ in range(2):
        serving.serve_once(HERE, put, "one")
        serving.serve_once(HERE, missed, "two")
    # Whoever carried it out the first time may have died since.
    begun(tmp_path).serve_once(HERE, put, "one")
    there = serving.balance("sweep.yaml")
    assert (there.calls, there.reserved, there.paid) == (2, 0, pytest.approx(0.3))
    # Two that paid for the same did pay twice.
    serving.serve_once(ELSEWHERE, put, "three")
    assert serving.balance("sweep.yaml").paid == pytest.approx(0.5) and len(serving) == 1


def test_an_order_that_fails_leaves_nothing_and_may_come_again(serving: ServingLedger) -> None:
    with pytest.raises(ValueError, match="empty response"):
        serving.serve_once(HERE, methodcaller("put_many", [call("a"), call("b", "")]), "one")
    assert len(serving) == 0
    serving.serve_once(HERE, methodcaller("put_many", [call("a")]), "one")
    assert len(serving) == 1


@pytest.mark.parametrize("holding", [False, True])
def test_a_wish_that_comes_twice_reserves_once(holding: bool, serving: ServingLedger) -> None:
    for _ in range(2):
        assert serving.serve(HERE, methodcaller("claim", KEY, 0.5, "m", holding=holding)).state == "granted"
    assert serving.balance("sweep.yaml").reserved == pytest.approx(0.5)
    assert serving.serve(ELSEWHERE, methodcaller("claim", KEY, 0.1, "m")).state == "taken"


def test_claims_are_their_askers_and_outlive_who_has_the_file_open(serving: ServingLedger, tmp_path: Path) -> None:
    assert serving.serve(ELSEWHERE, methodcaller("claim", KEY, 0.5, "m")).state == "granted"
    other = begun(tmp_path)
    assert other.serve(THIRD, methodcaller("claim", KEY, 0.5, "m")).state == "taken"
    # A sweep of this machine that opens the file itself is told the same.
    with_file = Ledger(tmp_path / "ledger.sqlite")
    assert with_file.claim(KEY, 0.5, "m").state == "taken"
    other.serve(ELSEWHERE, methodcaller("release", KEY))
    assert other.serve(THIRD, methodcaller("claim", KEY, 0.5, "m")).state == "granted"
    # What one that has left claimed may have been billed.
    other.serve(THIRD, methodcaller("leave"))
    assert with_file.claim(KEY, 0.2, "m").state == "granted"
    assert with_file.balance("sweep.yaml").unconfirmed == pytest.approx(0.5)


def test_one_maker_at_a_time_and_the_next_of_the_same_sweep_takes_over_from_a_lost_machine(
    serving: ServingLedger, tmp_path: Path
) -> None:
    take, other_sweep = methodcaller("take_lease", "key"), begun(tmp_path, "another")
    assert serving.serve(ELSEWHERE, take) and serving.serve(ELSEWHERE, take)
    assert not other_sweep.serve(THIRD, take)
    serving.serve(ELSEWHERE, methodcaller("claim", KEY, 0.5, "m"))
    assert serving.serve(THIRD, take) and not other_sweep.serve(HERE, take)
    # What the lost machine asked may be asked again at once.
    assert serving.serve(THIRD, methodcaller("claim", KEY, 0.5, "m")).state == "granted"
    serving.serve(THIRD, methodcaller("give_lease_back", "key"))
    assert other_sweep.serve(HERE, take)
    # A process of this machine is seen to live, so nobody takes its place; one that is gone is seen, too.
    assert not begun(tmp_path, "another").serve(THIRD, take)
    gone = Asker(host(), 2**22 + 1, 0.0, 0.0)
    assert serving.serve(gone, methodcaller("take_lease", "other")) and other_sweep.serve(
        HERE, methodcaller("take_lease", "other")
    )
