from __future__ import annotations

import gzip
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.labelling.labels.label_dataset import DatasetRow
from harness.labelling.labels.label_export import write_labels
from harness.labelling.labels.label_files import write_rankings
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.progress import silent
from harness.teachers.make import teacher_from
from tests.labelling.labels.test_label_dataset import dataset
from tests.labelling.labels.test_label_files import label_set, write_export, write_run_labels

RUN = "1 Q0 b 1 3.0 gpt\n1 Q0 a 2 2.5 gpt\n1 Q0 d 3 2.5 gpt\n2 Q0 x 1 1 gpt\n"


def task(query: str, shown: str) -> Task:
    return Task(query, f"text of {query}", tuple(Candidate(id, f"text of {id}") for id in shown))


def replay(tasks: Sequence[Task], ledger: Ledger, base: Path, *files: str) -> list[Ranking]:
    teacher = teacher_from({"kind": "recorded", "file": list(files)}, base)
    return list(teacher.label(tasks, ledger, lambda done, total, unit="": None))


@pytest.fixture
def run(tmp_path: Path) -> str:
    (tmp_path / "gpt.trec").write_text(RUN)
    return "gpt.trec"


def test_only_what_is_shown_is_ordered_and_what_is_not_recorded_is_not_placed(
    tmp_path: Path, ledger: Ledger, run: str
) -> None:
    tasks = [task("1", "adb"), task("1", "azb"), task("1", "yz"), task("3", "ab"), task("2", "x")]
    assert replay(tasks, ledger, tmp_path, run) == [
        # Equal scores fall as in trec_eval: the greater id first.
        Ranking("1", ("b", "d", "a")),
        Ranking("1", ("b", "a"), ("z",), "partial", "candidates not recorded"),
        Ranking("1", (), ("y", "z"), "failed", "no candidate recorded"),
        Ranking("3", (), ("a", "b"), "failed", "not recorded"),
        Ranking("2", ("x",)),
    ]
    assert ledger.paid.calls == 0


def test_labels_keep_their_verdict_and_text(tmp_path: Path, ledger: Ledger) -> None:
    kept = [
        Ranking("1", ("b", "a"), ("c", "d"), "partial", "missing", "[2] > [1]"),
        Ranking("2", ("b", "a"), (), "repaired", "repetition", "[2] > [1] > [2]"),
        Ranking("3", (), ("a", "b"), "failed", "refused", "I am sorry"),
    ]
    write_rankings(tmp_path / "labels.jsonl.gz", kept)
    tasks = [task("1", "abcd"), task("2", "ab"), task("3", "ab")]
    assert replay(tasks, ledger, tmp_path, "labels.jsonl.gz") == kept
    assert replay([task("2", "abz")], ledger, tmp_path, "labels.jsonl.gz") == [
        Ranking("2", ("b", "a"), ("z",), "partial", "candidates not recorded", "[2] > [1] > [2]")
    ]


def test_exports_and_published_labels_are_replayed_like_rankings(tmp_path: Path, ledger: Ledger) -> None:
    recorded = [Ranking("1", ("b", "a"), ("c", "d"), "partial", "missing", "[2] > [1]"), Ranking("2", ("b", "a"))]
    write_export(tmp_path / "export.jsonl.gz", recorded)
    write_run_labels(tmp_path / "labels.jsonl.gz", recorded)
    (tmp_path / "plain.jsonl").write_bytes(gzip.decompress((tmp_path / "export.jsonl.gz").read_bytes()))
    for name in ("export.jsonl.gz", "labels.jsonl.gz", "plain.jsonl"):
        assert replay([task("1", "abcd"), task("2", "ab")], ledger, tmp_path, name) == recorded


def test_one_of_several_sets_is_chosen_and_counts_in_the_identity(tmp_path: Path, ledger: Ledger, run: str) -> None:
    sets = [label_set([Ranking("1", order)], name) for name, order in (("a", ("a", "b")), ("b", ("b", "a")))]
    write_labels(tmp_path / "two.jsonl", sorted(sets, key=lambda one: str(one.manifest["key"])))
    teachers = [
        teacher_from({"kind": "recorded", "file": "two.jsonl", "set": one.manifest["key"][:9]}, tmp_path)
        for one in sets
    ]
    answers = [next(iter(one.label([task("1", "ab")], ledger, silent))).ranked for one in teachers]
    assert answers == [("a", "b"), ("b", "a")] and teachers[0].identity != teachers[1].identity
    with pytest.raises(UserError, match="2 sets of labels") as caught:
        teacher_from({"kind": "recorded", "file": "two.jsonl"}, tmp_path)
    assert "(teacher a)" in str(caught.value.remedy)
    with pytest.raises(UserError, match="runs have no sets"):
        teacher_from({"kind": "recorded", "file": run, "set": "ab"}, tmp_path)


def test_files_with_different_queries_are_read_together(tmp_path: Path, ledger: Ledger, run: str) -> None:
    write_rankings(tmp_path / "more.jsonl", [Ranking("9", ("b", "a"))])
    found = replay([task("1", "ab"), task("9", "ab")], ledger, tmp_path, run, "more.jsonl")
    assert [ranking.ranked for ranking in found] == [("b", "a"), ("b", "a")]
    (tmp_path / "again.trec").write_text(RUN)
    with pytest.raises(UserError, match="ranked twice"):
        replay([task("1", "ab")], ledger, tmp_path, run, "again.trec")


def test_identity_is_the_content_wherever_it_lies(tmp_path: Path, run: str) -> None:
    (tmp_path / "deep").mkdir()
    shutil.copy(tmp_path / run, tmp_path / "deep" / "other-name.trec")
    (tmp_path / "changed.trec").write_text(RUN.replace("3.0", "3.5"))
    here, there, changed = (
        teacher_from({"kind": "recorded", "file": name}, tmp_path).identity
        for name in (run, "deep/other-name.trec", "changed.trec")
    )
    assert here == there != changed


def test_a_missing_or_damaged_file_is_named(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(UserError) as caught:
        teacher_from({"kind": "recorded", "file": "absent.trec"}, tmp_path)
    assert caught.value.file == tmp_path / "absent.trec"
    (tmp_path / "bad.trec").write_text(RUN + "1 Q0 c 4 nan gpt\n")
    with pytest.raises(UserError) as caught:
        replay([task("1", "ab")], ledger, tmp_path, "bad.trec")
    assert caught.value.line == 5


@pytest.mark.shared
def test_published_rankings_of_a_real_llm_replay_over_the_first_stage(shared_data: Path, ledger: Ledger) -> None:
    from harness.retrieval.run import Run

    data = shared_data / "trec-dl"
    first = Run.read(data / "candidates" / "bm25.dl19.trec")
    tasks = [Task(query, "", tuple(Candidate(id, "") for id in first.top(query, 20))) for query in first.scores]
    found = replay(tasks, ledger, data / "rankings" / "gpt-3.5-turbo", "bm25.dl19.rep1.trec")
    assert [ranking.verdict for ranking in found] == ["ok"] * 43
    assert (
        sum(
            ranking.ranked != tuple(candidate.id for candidate in shown.candidates)
            for ranking, shown in zip(found, tasks, strict=True)
        )
        > 40
    )


def test_a_published_set_is_replayed_whole_with_scores_and_the_order_of_its_tail(
    tmp_path: Path, ledger: Ledger
) -> None:
    labels = [
        Ranking(
            "1", ("b", "a"), ("d", "c"), "partial", "missing", scores=(2.5, -1.0, 0.1, 0.2), presented=tuple("dbca")
        ),
        Ranking("2", (), ("a", "b"), "failed", "refused"),
    ]
    rows = [
        DatasetRow.of(one, f"text of {one.query}", "train", given)
        for one, given in zip(labels, ("abcd", "ab"), strict=True)
    ]
    (tmp_path / "qwen.jsonl.gz").write_bytes(dataset(*rows).packed())
    assert replay([task("1", "cadb"), task("2", "ba")], ledger, tmp_path, "qwen.jsonl.gz") == labels
    fewer, more = replay([task("1", "ab"), task("1", "abz")], ledger, tmp_path, "qwen.jsonl.gz")
    assert fewer == Ranking("1", ("b", "a"), (), "partial", "missing", scores=(2.5, -1.0), presented=("b", "a"))
    assert more == Ranking("1", ("b", "a"), ("z",), "partial", "candidates not recorded")


def test_sets_of_several_collections_with_the_same_ids_are_told_apart_by_the_texts(
    tmp_path: Path, ledger: Ledger
) -> None:
    for name, order, text in (("one", "ab", "text of 1"), ("two", "ba", "another text")):
        ranking = Ranking("1", tuple(order))
        (tmp_path / f"{name}.jsonl.gz").write_bytes(dataset(DatasetRow.of(ranking, text, "train", "ab")).packed())
    asked = [task("1", "ab"), replace(task("1", "ab"), text="another text")]
    both = replay(asked, ledger, tmp_path, "one.jsonl.gz", "two.jsonl.gz")
    assert [one.ranked for one in both] == [("a", "b"), ("b", "a")]
    (alone,) = replay(asked[:1], ledger, tmp_path, "two.jsonl.gz")
    assert alone == Ranking("1", (), ("a", "b"), "failed", "recorded for another text of the query")
