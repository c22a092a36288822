"""Two machines' ledgers become one: no call twice, no cost lost, and a second time changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.ledger.calls import PAID_TWICE, Call, call_key
from harness.ledger.ledger import Ledger
from harness.ledger.merging import MergedLedger, merge_ledgers


def call(request: str, response: str = "[1]", usd: float = 0.25, created: float = 5.0) -> Call:
    return Call(call_key("gpt", request), "gpt", request, response, usd=usd, created=created, served="gpt-1")


def ledger(path: Path, *calls: Call, account: str = "sweep.yaml", misses: tuple[Call, ...] = ()) -> Path:
    book = Ledger(path)
    book.account = account
    for one in calls:
        book.claim(one.key, one.usd)
        book.put(one)
    for one in misses:
        book.claim(one.key, one.usd)
        book.put_miss(one, "refused")
    book.note_server("gpt", f"http://{path.parent.name}")
    book.close()
    return path


def paid(path: Path, account: str | None = None) -> float:
    book = Ledger(path)
    try:
        return book.balance(account).paid
    finally:
        book.close()


def test_calls_come_over_with_what_they_cost(tmp_path: Path) -> None:
    here = ledger(tmp_path / "a" / "ledger.sqlite", call("q1"))
    there = ledger(tmp_path / "b" / "ledger.sqlite", call("q2", usd=1.0), misses=(call("q3", usd=0.5),))
    before = there.read_bytes()

    assert merge_ledgers(here, there) == MergedLedger(1, 0, [], 1, 1.5)
    assert there.read_bytes() == before
    book = Ledger(here)
    assert {one.request: (one.usd, one.created, one.served) for one in book.calls()} == {
        "q1": (0.25, 5.0, "gpt-1"),
        "q2": (1.0, 5.0, "gpt-1"),
    }
    assert [(miss.kind, miss.call.usd) for miss in book.misses()] == [("refused", 0.5)]
    assert book.server("gpt") == "http://a"
    assert book.balance("sweep.yaml").paid == book.balance(None).paid == 1.75
    book.close()
    assert merge_ledgers(here, there) == MergedLedger(0, 1, [], 0, 0.0)
    assert paid(here) == 1.75


def test_accounts_stay_apart_and_grow_by_what_is_new(tmp_path: Path) -> None:
    here = ledger(tmp_path / "a" / "ledger.sqlite", call("q1"), account="one.yaml")
    there = ledger(tmp_path / "b" / "ledger.sqlite", call("q2", usd=3.0), account="two.yaml")
    ledger(there, call("q3", usd=1.0), account="one.yaml")
    merge_ledgers(here, there)
    assert (paid(here, "one.yaml"), paid(here, "two.yaml")) == (1.25, 3.0)
    ledger(there, call("q4", usd=2.0), account="two.yaml")
    merge_ledgers(here, there)
    assert paid(here) == pytest.approx(6.25)


def test_what_both_paid_for_is_there_once_and_costs_twice(tmp_path: Path) -> None:
    here = ledger(tmp_path / "a" / "ledger.sqlite", call("q1", "[1]", 0.25, 5.0), call("q2", "[1]", 0.25, 5.0))
    there = ledger(tmp_path / "b" / "ledger.sqlite", call("q1", "[2]", 0.5, 6.0), call("q2", "[1]", 0.5, 6.0))

    merged = merge_ledgers(here, there)
    assert merged == MergedLedger(0, 1, [call_key("gpt", "q1")], 2, 1.0)
    book = Ledger(here)
    assert [(one.request, one.response) for one in sorted(book.calls(), key=lambda one: one.request)] == [
        ("q1", "[1]"),
        ("q2", "[1]"),
    ]
    assert {miss.kind for miss in book.misses()} == {PAID_TWICE}
    book.close()
    assert paid(here) == 1.5
    assert merge_ledgers(here, there).usd == 0.0 and paid(here) == 1.5


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 64), st.booleans()), max_size=12))
def test_whatever_the_order_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[str, int, bool]]
) -> None:
    home = tmp_path_factory.mktemp("ledgers")
    calls: tuple[dict[str, Call], dict[str, Call]] = ({}, {})
    for number, (request, units, second) in enumerate(asked):
        calls[second].setdefault(request, call(request, usd=units / 64, created=float(number + 1)))
    ours = ledger(home / "a" / "ledger.sqlite", *calls[0].values())
    theirs = ledger(home / "b" / "ledger.sqlite", *calls[1].values())
    merge_ledgers(ours, theirs)
    book = Ledger(ours)
    assert {one.request for one in book.calls()} == {*calls[0], *calls[1]}
    book.close()
    total = sum(one.usd for some in calls for one in some.values())
    assert paid(ours) == pytest.approx(total)
    merge_ledgers(ours, theirs)
    assert paid(ours) == pytest.approx(total)


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    here = ledger(tmp_path / "a" / "ledger.sqlite", call("q1"))
    (tmp_path / "b.sqlite").write_text("no ledger at all, but long enough to be looked at" * 40)
    with pytest.raises(UserError, match=r"b\.sqlite: cannot be read as a ledger"):
        merge_ledgers(here, tmp_path / "b.sqlite")
