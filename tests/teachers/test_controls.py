from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError, UserErrors
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Cost, Task, Teacher
from harness.ledger.ledger import Ledger
from harness.plugins import plugins
from harness.teachers.make import teacher_from


def label(task: Task, ledger: Ledger, **settings: Any) -> Ranking:
    teacher = teacher_from(settings)
    assert teacher.estimate([task], ledger) == Cost() == teacher.guess(10, 10)
    return next(iter(teacher.label([task], ledger, lambda done, total, unit="": None)))


def task(shown: list[str], gold: dict[str, int] | None = None, query: str = "q") -> Task:
    return Task(query, "text", tuple(Candidate(id, id) for id in shown), gold)


def test_the_first_stage_placebo_leaves_the_order_as_it_is(ledger: Ledger) -> None:
    assert label(task(["b", "a", "c"]), ledger, kind="first-stage") == Ranking("q", ("b", "a", "c"))


def test_the_shuffled_placebo_does_not_see_the_order(ledger: Ledger) -> None:
    ids = [f"d{number}" for number in range(30)]
    shuffled = random.Random(1).sample(ids, len(ids))
    order = label(task(ids), ledger, kind="shuffled").ranked
    assert label(task(shuffled), ledger, kind="shuffled").ranked == order
    assert label(task(ids[:9]), ledger, kind="shuffled").ranked == tuple(id for id in order if id in ids[:9])
    others = {
        label(task(ids, query=query), ledger, kind="shuffled", seed=seed).ranked
        for query in ("q", "p")
        for seed in (0, 1)
    }
    assert len(others) == 4
    assert order in others


def test_shuffling_is_fair(ledger: Ledger) -> None:
    first = [
        label(task(["a", "b", "c"], query=str(number)), ledger, kind="shuffled").ranked[0] for number in range(600)
    ]
    assert all(150 < first.count(id) < 250 for id in "abc")


def test_the_oracle_orders_by_grade_and_places_nothing_else(ledger: Ledger) -> None:
    shown = ["none", "one", "zero", "two", "also one"]
    grades = {"one": 1, "two": 2, "also one": 1, "zero": 0, "elsewhere": 3}
    assert label(task(shown, grades), ledger, kind="oracle") == Ranking(
        "q", ("two", "one", "also one"), ("none", "zero")
    )
    empty = label(task(shown, {"elsewhere": 1}), ledger, kind="oracle")
    assert empty == Ranking("q", (), tuple(shown), "failed", "no relevant candidate")


def test_every_teacher_says_what_it_is() -> None:
    found = plugins(Teacher)
    standing = {name: (teacher.teacher_type, teacher.box, teacher.needs) for name, teacher in found.items()}
    assert {
        "first-stage": ("placebo", "black", ()),
        "likelihood": ("real", "white", ()),
        "oracle": ("oracle", "black", ("gold labels",)),
        "recorded": ("real", "black", ()),
        "shuffled": ("placebo", "black", ()),
    }.items() <= standing.items()
    assert all(teacher.summary for teacher in found.values())


def test_identities_differ_by_kind_and_seed() -> None:
    specs: list[dict[str, Any]] = [
        {"kind": "oracle"},
        {"kind": "first-stage"},
        {"kind": "shuffled"},
        {"kind": "shuffled", "seed": 1},
    ]
    assert len({teacher_from(spec).identity for spec in specs}) == 4
    assert teacher_from({"kind": "shuffled", "seed": 0}).identity == teacher_from({"kind": "shuffled"}).identity


def test_wrong_settings_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'likelihood'"):
        teacher_from({"kind": "likelyhood"})
    with pytest.raises(UserError, match="needs a kind"):
        teacher_from({"model": "x"})
    with pytest.raises(UserErrors) as caught:
        teacher_from(
            {"kind": "likelihood", "max_pasage_tokens": 3, "normalise": "median", "max_query_tokens": 0}, tmp_path
        )
    faults = {error.key: error for error in caught.value.errors}
    assert set(faults) == {"max_pasage_tokens", "normalise", "max_query_tokens"}
    assert "did you mean 'max_passage_tokens'" in str(faults["max_pasage_tokens"])
