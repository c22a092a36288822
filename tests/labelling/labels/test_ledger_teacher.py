"""A teacher of a plug-in: one method to write; loop, key, payment and ranking are the harness's."""

from __future__ import annotations

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


def test_no_call_is_made_once_the_limit_is_spent(ledger: Ledger) -> None:
    ledger.limit = 1.0
    with pytest.raises(UserError, match="the cost limit is spent"):
        labelled(Paid(LengthSettings()), ledger)
    assert Length.asked.total() == 2 and len(ledger) == 2
    assert len(labelled(Length(LengthSettings()), ledger)) == 3, "what costs nothing goes on"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "'zz', which is no candidate of query 'q0'"), (1, "'a' more than once of query 'q1'")]
)
def test_an_answer_that_is_no_order_is_told_and_not_kept(number: int, words: str, ledger: Ledger) -> None:
    with pytest.raises(UserError, match=f"the teacher 'wrong' named {words}"):
        labelled(Wrong(LengthSettings()), ledger, TASKS[number : number + 1])
    assert len(ledger) == 0


def test_it_keeps_the_contracts_of_a_teacher() -> None:
    report = check("teacher", Length)
    assert report.ok, str(report)
