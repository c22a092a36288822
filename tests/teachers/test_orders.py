"""Teachers that are no live LLM: placebos, the oracle, and recorded rankings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UserError, UserErrors
from harness.labelling.labels.label_files import write_rankings
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task, Teacher
from harness.ledger.ledger import Ledger
from harness.teachers.make import teacher_from

IDS = st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


def task(ids: list[str], query: str = "q1", gold: dict[str, int] | None = None) -> Task:
    return Task(query, "what is it", tuple(Candidate(id, f"text of {id}") for id in ids), gold)


def ask(teacher: Teacher, one: Task) -> Ranking:
    return next(iter(teacher.label([one], Ledger(Path("unused.sqlite")), lambda done, total, unit="": None)))


@settings(deadline=None)
@given(IDS)
def test_placebos_rank_exactly_what_is_shown(ids: list[str]) -> None:
    assert ask(teacher_from({"kind": "first-stage"}), task(ids)).ranked == tuple(ids)
    shuffled = ask(teacher_from({"kind": "shuffled"}), task(ids))
    assert sorted(shuffled.ranked) == sorted(ids)
    assert shuffled == ask(teacher_from({"kind": "shuffled"}), task(ids[::-1]))


def test_shuffles_differ_by_query_and_seed() -> None:
    ids = [f"d{number}" for number in range(20)]
    orders = {
        ask(teacher_from({"kind": "shuffled", "seed": seed}), task(ids, query)).ranked
        for seed in (0, 1)
        for query in ("q1", "q2")
    }
    assert len(orders) == 4


def test_the_oracle_orders_by_grade_and_leaves_the_rest_unordered() -> None:
    teacher = teacher_from({"kind": "oracle"})
    ranking = ask(teacher, task(["a", "b", "c", "d"], gold={"b": 1, "d": 3, "c": 0, "x": 2}))
    assert ranking.ranked == ("d", "b") and set(ranking.unranked) == {"a", "c"}
    assert ask(teacher, task(["a"], gold={})).verdict == "failed"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    (tmp_path / "run.trec").write_text("q1 Q0 a 1 3 gpt\nq1 Q0 c 2 2 gpt\nq1 Q0 z 3 1 gpt\n")
    return tmp_path


def test_a_recording_ranks_what_is_shown_and_never_guesses(recording: Path) -> None:
    teacher = teacher_from({"kind": "recorded", "file": "run.trec"}, recording)
    whole = ask(teacher, task(["c", "a"]))
    assert whole.ranked == ("a", "c") and whole.verdict == "ok"
    part = ask(teacher, task(["c", "b", "a"]))
    assert part.ranked == ("a", "c") and part.unranked == ("b",) and part.verdict == "partial" and part.reason
    assert ask(teacher, task(["a"], "q2")).verdict == "failed"


def test_a_recording_is_known_by_its_content(recording: Path) -> None:
    first = teacher_from({"kind": "recorded", "file": "run.trec"}, recording).identity
    (recording / "run.trec").rename(recording / "other.trec")
    assert teacher_from({"kind": "recorded", "file": "other.trec"}, recording).identity == first
    (recording / "other.trec").write_text("q1 Q0 c 1 3 gpt\n")
    assert teacher_from({"kind": "recorded", "file": "other.trec"}, recording).identity != first


def test_exported_labels_keep_verdict_and_raw_text(tmp_path: Path) -> None:
    given = Ranking("q1", ("b", "a"), ("c",), "partial", "missing", "[2] > [1]")
    write_rankings(tmp_path / "labels.jsonl.gz", [given])
    assert ask(teacher_from({"kind": "recorded", "file": "labels.jsonl.gz"}, tmp_path), task(["a", "b", "c"])) == given


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"kind": "recordet"}, "did you mean 'recorded'"),
        ({"kind": "recorded", "file": "nowhere.trec"}, "no such file"),
        ({"kind": "shuffled", "sed": 1}, "unknown key 'sed'"),
    ],
)
def test_wrong_teachers_are_named(spec: dict[str, object], words: str) -> None:
    with pytest.raises((UserError, UserErrors), match=words):
        teacher_from(spec)


@pytest.mark.shared
def test_published_gpt_rankings_replay(shared_data: Path) -> None:
    folder = shared_data / "trec-dl"
    teacher = teacher_from({"kind": "recorded", "file": "rankings/gpt-3.5-turbo/bm25.dl19.rep1.trec"}, folder)
    rankings = teacher.rankings  # type: ignore[attr-defined]
    assert len(rankings) == 43
    (query, _), recorded = next(iter(rankings.items()))
    assert ask(teacher, task(list(recorded.ranked[::-1]), query)).ranked == recorded.ranked
