"""Every broken contract of a teacher is caught by its name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.ledger.calls import Call, call_key
from harness.plugin_checks.run_checks import check
from harness.plugins import plugins


class Paid(Teacher):
    """Turns the order round, and pays for that."""

    name = "paid"
    summary = "for tests"
    identity = "paid"

    def label(self, tasks: Sequence[Task], ledger: Any, progress: Any) -> Iterator[Ranking]:
        for task in tasks:
            key = self.key(task)
            if ledger.get(key) is None:
                ledger.put(Call(key, self.name, task.text, "turned", usd=0.01))
            yield self.ranking(task)

    def key(self, task: Task) -> str:
        return call_key(self.identity, [task.text, task.candidates])

    def ranking(self, task: Task) -> Ranking:
        return Ranking(task.query, tuple(candidate.id for candidate in reversed(task.candidates)))


class Nameless(Paid):
    """Of no known colour."""

    box = "grey"


class NewEachTime(Paid):
    def __init__(self, settings: Any, base: Any = None) -> None:
        super().__init__(settings)
        self.identity = os.urandom(4).hex()


class Loses(Paid):
    def ranking(self, task: Task) -> Ranking:
        return Ranking(task.query, super().ranking(task).ranked[:2])


class Sorts(Paid):
    def label(self, tasks: Sequence[Task], ledger: Any, progress: Any) -> Iterator[Ranking]:
        return super().label(sorted(tasks, key=lambda task: task.text), ledger, progress)


class Raises(Paid):
    def ranking(self, task: Task) -> Ranking:
        raise RuntimeError("out of office")


class ByPlace(Paid):
    """The ranking of a query depends on its place among the tasks."""

    def label(self, tasks: Sequence[Task], ledger: Any, progress: Any) -> Iterator[Ranking]:
        for place, ranking in enumerate(super().label(tasks, ledger, progress)):
            yield Ranking(ranking.query, ranking.ranked[::-1] if place % 2 else ranking.ranked)


class PaysTwice(Paid):
    def key(self, task: Task) -> str:
        return call_key(self.identity, os.urandom(8).hex())


class ExpectsMore(Paid):
    def estimate(self, tasks: Sequence[Task], ledger: Any) -> Cost:
        return Cost(calls=len(tasks))


class Peeks(Paid):
    def ranking(self, task: Task) -> Ranking:
        ids = [candidate.id for candidate in task.candidates]
        return Ranking(task.query, tuple(sorted(ids, key=lambda id: -(task.gold or {}).get(id, 0))))


class WhiteWithoutScores(Paid):
    """Says that it is a white box."""

    box = "white"


@pytest.mark.parametrize(
    ("teacher", "contract", "words"),
    [
        (Nameless, "describes-itself", "not black or white"),
        (NewEachTime, "identity", "different identities"),
        (Loses, "answers", "exactly the documents"),
        (Sorts, "answers", "came back for query"),
        (Raises, "answers", "out of office"),
        (ByPlace, "deterministic", "another order"),
        (PaysTwice, "pays-once", "pays for 6 calls"),
        (ExpectsMore, "pays-once", "estimate"),
        (Peeks, "needs", "human judgments"),
        (WhiteWithoutScores, "scores", "has no scores"),
    ],
)
def test_a_broken_contract_is_caught_by_name(teacher: type[Teacher], contract: str, words: str) -> None:
    report = check("teacher", teacher)
    assert contract in report.broken
    assert words in next(one.detail for one in report.contracts if one.contract == contract)


def test_a_good_one_keeps_them_and_its_report_is_json() -> None:
    report = check("teacher", Paid)
    assert report.ok
    told = json.loads(json.dumps(report.as_json()))
    assert {"kind", "name", "ok", "seconds", "contracts"} <= set(told) and told["ok"] is True
    assert set(told["contracts"][0]) == {"contract", "demands", "state", "detail", "remedy"}


@pytest.mark.parametrize(
    ("name", "given"), [("shuffled", {}), ("oracle", {}), ("simulated", {"quality": {"value": 0.9}})]
)
def test_ours_keep_theirs(name: str, given: dict[str, Any]) -> None:
    report = check("teacher", plugins(Teacher)[name], given)
    assert report.ok, str(report)
