from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.collections.sample import QuerySubset
from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task, Teacher
from harness.ledger.calls import Call, call_key
from harness.ledger.ledger import Ledger
from harness.progress import MEASURED, Progress, take_measured
from harness.retrieval.run import Run
from harness.stage import Stage
from harness.teachers.make import teacher_from
from tests.given import Corpus, Given

DOCUMENTS = {f"d{number}": f"document number {number}" for number in range(6)}
POOL = [
    {"id": f"q{number}", "text": f"query {number}", "source": "train", "gold": {f"d{number}": 1}} for number in range(5)
]


@dataclass
class Bench:
    """A context over a folder."""

    ledger: Ledger
    cache: Path
    told: list[tuple[int, int]] = field(default_factory=list)

    def progress(self, done: int, total: int, unit: str = "") -> None:
        self.told.append((done, total))

    def path(self, stage: Stage) -> Path:
        assert isinstance(stage, Given)
        return self.cache / stage.name


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in POOL))
    (tmp_path / "run").mkdir()
    # q4 found nothing.
    Run(
        "first", {f"q{query}": {f"d{number}": 9.0 - (number - query) % 6 for number in range(6)} for query in range(4)}
    ).write(tmp_path / "run" / "run.trec.gz")
    return Bench(Ledger(tmp_path / "ledger.sqlite"), tmp_path)


def labels(teacher: Teacher, size: int = 5, depth: int = 3, resample: int = 0) -> Labels:
    return Labels(
        teacher=teacher,
        subset=QuerySubset(Given(name="pool"), resample, size),
        candidates=Given(name="run"),
        corpus=Corpus(DOCUMENTS),
        depth=depth,
    )


def run(stage: Labels, bench: Bench, name: str = "out") -> tuple[list[Ranking], dict[str, Any]]:
    out = bench.cache / name
    out.mkdir()
    stage.run(out, bench)
    measured = take_measured(out)[MEASURED]
    return read_rankings(out / "rankings.jsonl.gz"), json.loads((out / "summary.json").read_text()) | measured


class Paid(Teacher):
    """Turns the order round at ten tokens and a cent a query."""

    name = "paid"
    summary = "for tests"
    identity = "paid"

    def label(self, tasks: Sequence[Task], ledger: Ledger, progress: Progress) -> Iterator[Ranking]:
        for task in tasks:
            assert task.gold is None
            key = call_key("paid", task.text)
            if ledger.get(key) is None:
                ledger.put(Call(key, "paid", task.text, "turned", input_tokens=10, usd=0.01))
            yield Ranking(task.query, tuple(candidate.id for candidate in reversed(task.candidates)), raw="turned")


def test_every_drawn_query_gets_a_ranking_in_the_order_of_the_draw(bench: Bench) -> None:
    stage = labels(Paid(Paid.Settings()))
    rankings, summary = run(stage, bench)
    assert [ranking.query for ranking in rankings] == [
        task.query for task in stage.tasks(bench.cache / "pool", bench.cache / "run")
    ]
    found = {ranking.query: ranking for ranking in rankings}
    assert found["q2"] == Ranking("q2", ("d4", "d3", "d2"), raw="turned")
    assert found["q4"] == Ranking("q4", (), verdict="failed", reason="no candidates")
    assert summary["verdicts"] == {"ok": 4, "partial": 0, "repaired": 0, "failed": 1}
    assert summary["reasons"] == {"no candidates": 1}
    assert summary["seconds"] >= 0


def test_what_labels_cost_alone_and_here(bench: Bench) -> None:
    _, small = run(labels(Paid(Paid.Settings()), size=2), bench, "small")
    _, large = run(labels(Paid(Paid.Settings())), bench, "large")
    _, again = run(labels(Paid(Paid.Settings())), bench, "again")
    assert large["alone"]["calls"] == 4
    assert large["alone"]["usd"] == pytest.approx(0.04)
    assert large["alone"] == again["alone"]
    assert large["here"]["calls"] == 4 - small["here"]["calls"]
    assert (again["here"]["calls"], again["here"]["usd"]) == (0, 0)
    assert bench.ledger.paid.calls == 4


def test_labels_are_the_same_files_whoever_paid_and_however_long_it_took(bench: Bench) -> None:
    for name in ("paid", "replayed"):
        run(labels(Paid(Paid.Settings())), bench, name)
    first, second = (sorted((bench.cache / name).iterdir()) for name in ("paid", "replayed"))
    assert [one.name for one in first] == ["rankings.jsonl.gz", "summary.json"] == [one.name for one in second]
    assert [one.read_bytes() for one in first] == [one.read_bytes() for one in second]
    assert json.loads(first[1].read_text())["alone"] == {
        "calls": 4,
        "input_tokens": 40,
        "output_tokens": 0,
        "usd": pytest.approx(0.04),
    }


def test_gold_goes_only_to_the_teacher_that_needs_it(bench: Bench) -> None:
    rankings, summary = run(labels(teacher_from({"kind": "oracle"})), bench)
    found = {ranking.query: ranking.ranked for ranking in rankings}
    assert found == {"q0": ("d0",), "q1": ("d1",), "q2": ("d2",), "q3": ("d3",), "q4": ()}
    assert summary["verdicts"]["ok"] == 4
    for kind in ("first-stage", "shuffled"):
        assert all(
            task.gold is None
            for task in labels(teacher_from({"kind": kind})).tasks(bench.cache / "pool", bench.cache / "run")
        )


def test_candidates_are_the_first_of_the_run_with_their_texts(bench: Bench) -> None:
    tasks = labels(teacher_from({"kind": "first-stage"}), depth=2).tasks(bench.cache / "pool", bench.cache / "run")
    shown = {task.query: [tuple(candidate) for candidate in task.candidates] for task in tasks}
    assert shown["q3"] == [("d3", "document number 3"), ("d4", "document number 4")]


def test_a_larger_draw_begins_with_the_smaller_and_runs_first() -> None:
    small, large = (labels(teacher_from({"kind": "shuffled"}), size=size) for size in (2, 5))
    assert large.priority > small.priority
    assert len({small.key, large.key, labels(teacher_from({"kind": "oracle"}), size=2).key}) == 3
    assert labels(teacher_from({"kind": "shuffled"}), size=2).key == small.key


def test_more_queries_than_there_are_is_the_users_error(bench: Bench) -> None:
    with pytest.raises(UserError, match="larger than"):
        run(labels(teacher_from({"kind": "oracle"}), size=6), bench)


class Wrong(Paid):
    """Answers what it was not asked."""

    identity = "wrong"

    def label(self, tasks: Sequence[Task], ledger: Ledger, progress: Progress) -> Iterator[Ranking]:
        answers = {"other": Ranking("other", ()), "short": Ranking(tasks[0].query, ("d0",))}
        return iter([answers[self.identity]] if self.identity in answers else [])


@pytest.mark.parametrize(
    ("how", "said"), [("other", "came back for"), ("short", "exactly the documents"), ("none", "gave no ranking")]
)
def test_a_teacher_that_answers_wrongly_fails_its_stage(bench: Bench, how: str, said: str) -> None:
    teacher = Wrong(Wrong.Settings())
    teacher.identity = how
    with pytest.raises(ValueError, match=said):
        run(labels(teacher), bench)
