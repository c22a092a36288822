"""A teacher of a plug-in: one method to write; loop, key, payment and ranking are the harness's."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness import LedgerTeacher, Ranking, Settings, Task, UserError
from harness.labelling.labels.teacher import Candidate, Cost
from harness.ledger.ledger import Ledger
from harness.ledger.views import MeteredLedger
from harness.plugin_checks.run_checks import check
from harness.progress import silent


class LengthSettings(Settings):
    most: int = 9


class Length(LedgerTeacher):
    """The longest text first; those of the letter x are left out."""

    name = "length"
    summary = "for tests"
    settings: LengthSettings
    asked: ClassVar[Counter[str]] = Counter()

    def ask(self, task: Task) -> list[str]:
        self.asked[task.query] += 1
        texts = {one.id: one.text for one in task.candidates if "x" not in one.text}
        return sorted(texts, key=lambda id: (-len(texts[id]), id))[: self.settings.most]


class Paid(Length):
    """The same for money."""

    name = "paid"
    version = 1

    def cost(self, task: Task, answer: list[str]) -> Cost:
        return Cost(input_tokens=10, output_tokens=len(answer), usd=0.6)


class Reserved(Paid):
    """Says before what a call may cost."""

    name = "reserved"

    def most_usd(self, task: Task) -> float | None:
        return 0.7


class Broken(Length):
    """Raises for some queries."""

    name = "broken"

    def ask(self, task: Task) -> list[str]:
        found = super().ask(task)
        if task.query == "q7" or task.query.startswith("z"):
            raise KeyError("no such word")
        if task.query == "no key":
            raise UserError("no key")
        if task.query == "leaky":
            raise RuntimeError(f"refused {os.environ['WORDS_API_KEY']}")
        return found


class Wrong(Length):
    """Names what was not shown, or one document twice."""

    name = "wrong"

    def ask(self, task: Task) -> list[str]:
        return ["zz"] if task.query == "q0" else ["a", "a"]


def task(query: str, *texts: str) -> Task:
    return Task(query, f"about {query}", tuple(Candidate(id, text) for id, text in zip("abcdef", texts, strict=False)))


TASKS = [task("q0", "1", "333", "22"), task("q1", "1", "xx", "22"), task("q2", "x", "xx")]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    Length.asked.clear()
    return Ledger(tmp_path / "ledger.sqlite")


def labelled(teacher: LedgerTeacher, ledger: Ledger, tasks: list[Task] = TASKS) -> list[Ranking]:
    return list(teacher.label(tasks, ledger, silent))


def test_an_answer_becomes_a_ranking_with_a_verdict(ledger: Ledger) -> None:
    whole, part, none = labelled(Length(LengthSettings()), ledger)
    assert (whole.ranked, whole.unranked, whole.verdict, whole.raw) == (("b", "c", "a"), (), "ok", "[1, 2, 0]")
    assert (part.ranked, part.unranked, part.verdict, part.reason) == (("c", "a"), ("b",), "partial", "missing")
    assert (none.ranked, none.unranked, none.verdict, none.reason) == ((), ("a", "b"), "failed", "empty")


def test_the_second_pass_asks_nothing_and_gives_the_same(ledger: Ledger) -> None:
    first = labelled(Length(LengthSettings()), ledger)
    meter = MeteredLedger(ledger)
    assert labelled(Length(LengthSettings()), meter, TASKS[::-1]) == first[::-1]
    assert Length.asked == {"q0": 1, "q1": 1, "q2": 1} and (meter.paid.calls, meter.used.calls) == (0, 3)


def test_the_loop_says_how_far_it_is(ledger: Ledger) -> None:
    steps: list[tuple[Any, ...]] = []
    list(Length(LengthSettings()).label(TASKS, ledger, lambda *step: steps.append(step)))
    assert steps == [(1, 3, "queries"), (2, 3, "queries"), (3, 3, "queries")]


def test_settings_and_the_task_are_in_the_key(ledger: Ledger) -> None:
    labelled(Length(LengthSettings()), ledger)
    short = labelled(Length(LengthSettings(most=1)), ledger)
    assert short[0].ranked == ("b",) and Length.asked["q0"] == 2
    labelled(Length(LengthSettings()), ledger, [task("q0", "1", "333", "22", "4444")])
    assert Length.asked["q0"] == 3


def test_a_version_stands_for_the_code() -> None:
    class Edited(Paid):
        name = "paid"

    class Risen(Paid):
        name = "paid"
        version = 2

    free, paid = Length(LengthSettings()), Paid(LengthSettings())
    assert Edited(LengthSettings()).identity == paid.identity != Risen(LengthSettings()).identity
    assert len({free.identity, paid.identity, Length(LengthSettings(most=1)).identity}) == 3


def test_what_an_answer_took_stands_in_the_ledger(ledger: Ledger) -> None:
    meter = MeteredLedger(ledger)
    labelled(Paid(LengthSettings()), meter, TASKS[:2])
    assert (meter.paid.calls, meter.paid.input_tokens, meter.paid.output_tokens) == (2, 20, 5)
    assert meter.paid.usd == pytest.approx(1.2)


def test_a_plan_counts_what_is_still_to_be_asked(ledger: Ledger) -> None:
    teacher = Paid(LengthSettings())
    labelled(teacher, ledger, TASKS[:1])
    assert teacher.estimate(TASKS, ledger) == Cost(calls=2, priced=False)
    assert Length(LengthSettings()).estimate(TASKS, ledger) == Cost(calls=3)
    assert teacher.guess(5, 10) == Cost(calls=5, exact=False, priced=False)


def test_a_price_that_is_known_only_after_the_call_is_refused_under_a_limit(ledger: Ledger) -> None:
    ledger.limit = 1.0
    with pytest.raises(UserError, match=r"costs only after it.*cannot be kept") as stop:
        labelled(Paid(LengthSettings()), ledger)
    assert "most_usd" in str(stop.value.remedy) and not Length.asked and ledger.paid.usd == 0
    assert len(labelled(Length(LengthSettings()), ledger)) == 3, "what costs nothing goes on"
    ledger.limit = None
    labelled(Paid(LengthSettings()), ledger)
    ledger.limit = 1.0
    assert len(labelled(Paid(LengthSettings()), ledger)) == 3, "what was paid is read"


@pytest.mark.parametrize(("limit", "calls"), [(0.5, 0), (1.0, 1), (1.3, 2), (1.9, 3)])
def test_what_a_call_may_cost_is_reserved_so_the_limit_holds(limit: float, calls: int, ledger: Ledger) -> None:
    ledger.limit = limit
    teacher = Reserved(LengthSettings())
    assert teacher.estimate(TASKS, ledger) == Cost(calls=3, usd=pytest.approx(2.1), priced=True)
    if calls < 3:
        with pytest.raises(UserError, match=r"the next call may cost 0\.7000 USD"):
            labelled(teacher, ledger)
    else:
        assert len(labelled(teacher, ledger)) == 3
    assert Length.asked.total() == calls and ledger.balance("").paid == pytest.approx(0.6 * calls)
    assert ledger.balance("").paid <= limit and ledger.balance("").reserved == 0


def test_what_ask_raises_is_the_label_of_that_query(ledger: Ledger) -> None:
    many = [task(f"q{number}", "1", "333") for number in range(30)]
    broken = Broken(LengthSettings())
    found = labelled(broken, ledger, many)
    assert [ranking.query for ranking in found if ranking.verdict == "failed"] == ["q7"]
    assert found[7].reason == "no answer" and found[7].unranked == ("a", "b")
    line = inspect.getsourcelines(Broken.ask)[1] + 3
    assert found[7].raw == f"KeyError: 'no such word' (tests/labelling/labels/test_ledger_teacher.py, line {line})"

    meter = MeteredLedger(Ledger(ledger.path))
    assert labelled(broken, meter, many[5:]) == found[5:] and Length.asked["q7"] == 1, "it is not asked again"
    meter.given_up_since = meter._ledger.given_up_since = float("inf")
    labelled(broken, meter, many)
    assert Length.asked["q7"] == 2, "unless that is wished"


def test_a_teacher_that_always_raises_stops_early_and_is_asked_anew(ledger: Ledger) -> None:
    many = [task(f"z{number}", "1", "333") for number in range(60)]
    patient = Broken(Broken.Settings.model_validate({"on_failure": {"tolerate": 0.9}}))
    for _ in range(2):
        with pytest.raises(UserError, match=r"20 queries in a row could not be answered.*query 'z19': KeyError"):
            labelled(patient, ledger, many)
    assert Length.asked.total() == 40
    assert Length.asked["z0"] == 2, "that all fail is not the queries' fault"


@pytest.mark.parametrize(("tolerate", "stops"), [(0.0, True), (0.2, True), (0.9, False)])
def test_how_many_may_fail_is_a_setting_of_every_such_teacher(tolerate: float, stops: bool, ledger: Ledger) -> None:
    settings = Broken.Settings.model_validate({"most": 2, "on_failure": {"tolerate": tolerate}})
    assert Broken(settings).identity == Broken(LengthSettings(most=2)).identity, "it changes no answer"
    many = [task(f"{'z' if number % 2 else 'q'}{number}", "1", "333") for number in range(40)]
    if stops:
        with pytest.raises(UserError, match=r"more than on_failure.tolerate: 0(\.2)? accepts"):
            labelled(Broken(settings), ledger, many)
    else:
        assert sum(one.verdict == "failed" for one in labelled(Broken(settings), ledger, many)) == 20


def test_words_of_the_harness_stop_at_once_and_secrets_stay_secret(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDS_API_KEY", "very-secret-4711")
    with pytest.raises(UserError, match="no key") as stop:
        labelled(Broken(LengthSettings()), ledger, [task("q0", "1", "22"), task("no key", "1", "22")])
    assert isinstance(stop.value, UserError) and ledger.under_way(None) == 0
    (_, leaky) = labelled(Broken(LengthSettings()), ledger, [task("q0", "1", "22"), task("leaky", "1", "22")])
    assert leaky.verdict == "failed" and "4711" not in leaky.raw and leaky.raw.startswith("RuntimeError: refused ")


@pytest.mark.parametrize(
    ("number", "words"), [(0, "'zz', which is no candidate of query 'q0'"), (1, "'a' more than once of query 'q1'")]
)
def test_an_answer_that_is_no_order_is_told_and_not_kept(number: int, words: str, ledger: Ledger) -> None:
    with pytest.raises(UserError, match=f"the teacher 'wrong' named {words}"):
        labelled(Wrong(LengthSettings()), ledger, TASKS[number : number + 1])
    assert len(ledger) == 0


def test_an_answer_that_is_no_order_costs_what_it_costs_and_fails_its_query(ledger: Ledger) -> None:
    class WrongOnce(Reserved):
        name = "wrong-once"

        def ask(self, task: Task) -> list[str]:
            return ["zz"] if task.query == "q1" else super().ask(task)

    found = labelled(WrongOnce(LengthSettings()), ledger, TASKS[:2])
    assert [one.verdict for one in found] == ["ok", "failed"] and "'zz', which is no candidate" in found[1].raw
    assert ledger.balance("").paid == pytest.approx(1.2) and len(ledger) == 1


def test_it_keeps_the_contracts_of_a_teacher() -> None:
    report = check("teacher", Length)
    assert report.ok, str(report)
