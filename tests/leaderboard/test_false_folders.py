"""A folder that is not what its card says, brings queries of its own, or says otherwise of a cell that is there: it is
named, and no number of another row moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.collections.scifact import SciFact
from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.metrics.per_query_file import write_scores
from harness.labelling.labels.run_labels import packed
from harness.leaderboard.board import load_board
from harness.leaderboard.render import board_files
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.published.result_folder import LABELS
from harness.published.verification_record import FILE, record_verified
from tests.collections.folders import write_folder
from tests.leaderboard.hostile import rehash
from tests.leaderboard.runs import METRICS, QRELS, QUERIES, make_card, make_run, put, put_scores, put_short

LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    put(folder, make_card("zero"), make_run(0.2, 1))
    put(folder, make_card("ours", "ours", budget=100), make_run(0.6, 2))
    return folder


def rows(results: Path, **options: Any) -> list[dict[str, Any]]:
    return load_board(results, **options).as_json()["rows"]


def skipped(results: Path, **options: Any) -> dict[str, tuple[str, str]]:
    return {
        item["folder"]: (item["reason"], item["mark"]) for item in load_board(results, **options).as_json()["skipped"]
    }


def _scores(**changes: float) -> dict[str, dict[str, float]]:
    scores = evaluate(make_run(0.5, 3).scores, QRELS, METRICS)
    return {name: values | changes for name, values in scores.items()}


def _above_one(results: Path) -> None:
    put_scores(results, make_card("bad", "bad"), make_run(0.5, 3), _scores(q001=17.0))


def _below_zero(results: Path) -> None:
    put_scores(results, make_card("bad", "bad"), make_run(0.5, 3), _scores(q001=-0.5))


def _other_values(results: Path) -> None:
    write_scores(put(results, make_card("bad", "bad"), make_run(0.5, 3)) / "metrics.parquet", _scores(q001=1.0))


def _other_values_of_one_mean(results: Path) -> None:
    folder, scores = put(results, make_card("bad", "bad"), make_run(0.5, 3)), _scores()
    for values in scores.values():
        values["q001"], values["q002"] = values["q002"], values["q001"]
    write_scores(folder / "metrics.parquet", scores)


def _other_run(results: Path) -> None:
    folder = put(results, make_card("bad", "bad"), make_run(0.5, 3))
    make_run(0.9, 4).write(folder / "run.trec.gz")


def _no_run(results: Path) -> None:
    (put(results, make_card("bad", "bad"), make_run(0.5, 3)) / "run.trec.gz").unlink()


def _edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def bad(results: Path) -> None:
        path = put(results, make_card("bad", "bad"), make_run(0.5, 3)) / "card.yaml"
        card = yaml.safe_load(path.read_text())
        change(card["outcome"])
        path.write_text(yaml.safe_dump(card))

    return bad


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (_above_one, "nDCG@10 is 17 for query 'q001'; it can be 0 to 1"),
        (_below_zero, "nDCG@10 is -0.5 for query 'q001'; it can be 0 to 1"),
        (_other_values, "the mean of "),
        (_other_values_of_one_mean, "metrics.parquet is not the file that its card describes"),
        (_other_run, "run.trec.gz is not the file that its card describes"),
        (_no_run, "run.trec.gz is not the file that its card describes"),
        (_edited(lambda outcome: outcome["metrics"].update({"RR@10": 0.99})), "the mean of RR@10 is 0.99 on its card"),
        (_edited(lambda outcome: outcome["metrics"].pop("RR@10")), "name different metrics"),
        (_edited(lambda outcome: outcome.update(queries=10)), "its card tells of 10 queries, its values are of 60"),
        (_edited(lambda outcome: outcome["files"].clear()), "metrics.parquet is not the file"),
    ],
)
def test_a_folder_that_is_not_as_its_card_says_moves_no_other_row(
    results: Path, bad: Callable[[Path], None], reason: str
) -> None:
    before = rows(results)
    bad(results)
    assert rows(results) == before
    (said,) = skipped(results).items()
    assert said[0] == "semanlink/bad" and reason in said[1][0]
    assert said[1][1] == "not as its card says"
    assert skipped(results) == {
        item.folder: (item.reason, item.mark) for item in load_board(results, baseline="zero-shot").skipped
    }


def test_a_card_without_an_outcome_is_no_run(results: Path) -> None:
    before = rows(results)
    path = put(results, make_card("bad", "bad"), make_run(0.5, 3)) / "card.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"outcome": None}))
    assert rows(results) == before and "does not say what came of the run" in skipped(results)["semanlink/bad"][0]


def test_metrics_that_are_not_known_or_not_bounded_have_no_bounds(results: Path) -> None:
    scores = _scores() | {"Gain@10": dict.fromkeys(QUERIES, 17.0), "alpha_nDCG@10": dict.fromkeys(QUERIES, 1.02)}
    put_scores(results, make_card("plugin", "plugin"), make_run(0.5, 3), scores)
    assert skipped(results) == {} and "plugin" in {row["method"] for row in rows(results)}


def _invented(results: Path, tag: str = "stranger", **changes: Any) -> Path:
    invented = {f"invented{number}": 1.0 for number in range(200)}
    return put_scores(results, make_card(tag, tag, **changes), make_run(0.5, 3), _scores(**invented))


def test_queries_that_most_folders_do_not_have_are_nobodys(results: Path) -> None:
    before = rows(results)
    _invented(results, created=datetime(2020, 1, 1, tzinfo=UTC))
    assert rows(results) == before
    reason, _ = skipped(results)["semanlink/stranger"]
    assert reason.startswith(
        "200 queries of its own, first 'invented0': most folders of its collection, or those that were there first, "
    )
    assert "semanlink/ours and 1 other" in reason


def test_of_two_folders_the_one_that_was_first_says_which_queries_there_are(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.2, 1))
    before = rows(tmp_path)
    _invented(tmp_path, created=LATER)
    assert rows(tmp_path) == before and list(skipped(tmp_path)) == ["semanlink/stranger"]


def test_the_collection_itself_knows_its_queries_whatever_most_folders_say(tmp_path: Path) -> None:
    documents = [
        {"_id": document, "text": document} for document in sorted({d for found in QRELS.values() for d in found})
    ]
    queries = [{"_id": query, "text": query} for query in QUERIES]
    grades = [(query, document, grade) for query, found in QRELS.items() for document, grade in found.items()]
    folder = write_folder(tmp_path / "mine", documents=documents, queries=queries, qrels={"test": grades})
    workspace = WorkspaceFolder(tmp_path / "workspace")
    content = workspace.collection({"folder": str(folder)}).content_hash
    results = tmp_path / "results"
    put(results, make_card("honest", "honest", content_hash=content), make_run(0.2, 1))
    before = rows(results)
    for number in range(5):
        _invented(results, f"stranger{number}", content_hash=content)
    # Nobody who does not have the collection can know: what most folders say counts, and is flagged.
    (honest,) = [row for row in rows(results) if row["method"] == "honest"]
    assert (honest["missing_queries"], honest["flags"]) == (200, ["missing queries"])
    assert rows(results, collections=workspace.collections) == before
    said = skipped(results, collections=workspace.collections)
    assert (
        len(said) == 5
        and "the collection semanlink (test) has none of them, as semanlink/honest" in said["semanlink/stranger0"][0]
    )


def test_a_collection_that_comes_with_a_package_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    found = WorkspaceFolder(tmp_path / "workspace").collection(SciFact.name)
    qrels, run = found.judgments("test").qrels, make_run(0.5)
    about = {"collection": SciFact.name, "content_hash": found.content_hash}
    right = evaluate(run.scores, qrels, METRICS)
    put_scores(tmp_path / "results", make_card("honest", "honest", **about), run, right)
    for number in range(3):
        wrong = {name: values | {"invented": 1.0} for name, values in right.items()}
        put_scores(tmp_path / "results", make_card(f"s{number}", f"s{number}", **about), run, wrong)
    assert [row["method"] for row in rows(tmp_path / "results")] == ["honest"]


def test_a_run_that_misses_queries_is_none_of_these(results: Path) -> None:
    put_short(results, make_card("short", "short"), make_run(0.5, 4), dropped=10)
    assert skipped(results) == {}
    (short,) = [row for row in rows(results) if row["method"] == "short"]
    assert (short["missing_queries"], short["flags"]) == (10, ["missing queries"])


def test_a_later_copy_of_a_cell_does_not_take_its_place(results: Path) -> None:
    before = rows(results)
    put(results, make_card("copy", "ours", budget=100, created=LATER), make_run(3.0, 9))
    assert rows(results) == before
    reason, _ = skipped(results)["semanlink/copy"]
    assert reason.startswith("the same cell as semanlink/ours with other numbers; that one counts, published before")


def test_a_copy_under_the_same_run_id_in_another_folder_is_named_with_the_one_that_counts(results: Path) -> None:
    before = rows(results)
    copy = Path(shutil.copytree(results / "semanlink" / "ours", results / "zz" / "ours"))
    write_scores(copy / "metrics.parquet", _scores(q001=1.0))
    assert rows(results) == before
    reason, mark = skipped(results)["zz/ours"]
    assert mark == "not as its card says" and "semanlink/ours, of the same cell, counts" in reason
    rehash(copy)
    card = yaml.safe_load((copy / "card.yaml").read_text())
    card["created"] = "2099-01-01T00:00:00Z"
    card["outcome"]["metrics"] = {name: sum(values.values()) / 60 for name, values in _scores(q001=1.0).items()}
    (copy / "card.yaml").write_text(yaml.safe_dump(card))
    assert rows(results) == before and "the same cell as semanlink/ours" in skipped(results)["zz/ours"][0]


def test_of_two_that_contradict_each_other_the_verified_one_counts(results: Path) -> None:
    copy = put(results, make_card("copy", "ours", budget=100, created=LATER), make_run(3.0, 9))
    record_verified([copy], "A. Name")
    assert "that one counts, which was verified" in skipped(results)["semanlink/ours"][0]
    (row,) = [row for row in rows(results) if row["method"] == "ours"]
    assert row["run_ids"] == ["copy"]


def test_a_cell_that_other_code_made_again_counts_and_is_noted(results: Path) -> None:
    stages = {"run": "2" * 64, "evaluate": "3" * 64}
    put(results, make_card("again", "ours", budget=100, created=LATER, stages=stages), make_run(0.7, 9))
    board = load_board(results)
    assert "again" in {tag for row in board.tables[0].rows for tag in row.run_ids} and not board.skipped
    assert any("again takes the place of ours" in note for note in board.notes)


def test_rows_are_marked_everywhere(results: Path) -> None:
    labels = {LABELS: packed([], 0)}
    folder = put(results, make_card("lost", "lost"), make_run(0.4, 5), beside=labels)
    (folder / LABELS).write_bytes(packed([], 0) + b" ")
    record_verified([results / "semanlink" / "ours"], "A. Name")
    board = load_board(results)
    marks = {row["method"]: (row["mark"], row["verified"]) for row in board.as_json()["rows"]}
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    assert marks == {
        "zero-shot": ("as published", []),
        "ours": ("verified", [f"A. Name, {day}"]),
        "lost": ("not as its card says", []),
    }
    (flags,) = [row.flags for row in board.tables[0].rows if row.method == "lost"]
    assert f"not as its card says: lost/{LABELS}" in flags
    for text in (board_files.markdown(board), board_files.csv(board)):
        assert all(part in text for part in ("as published", "verified", "A. Name", "not as its card says"))


def test_who_verified_counts_for_that_card_alone(results: Path) -> None:
    folder = results / "semanlink" / "ours"
    record_verified([folder], "A. Name")
    card = folder / "card.yaml"
    card.write_text(card.read_text().replace("budget.yaml", "budgot.yaml"))
    assert {row["mark"] for row in rows(results)} == {"as published"}


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"version": 9}', b'{"runs": {"a": {"by": ""}}}', b"\xff"])
def test_a_record_that_cannot_be_read_verifies_nobody_and_is_named(results: Path, content: bytes) -> None:
    before = rows(results)
    (results / FILE).write_bytes(content)
    assert rows(results) == before and FILE in skipped(results)


def _damaged(content: bytes, data: st.DataObject) -> bytes:
    place = data.draw(st.integers(0, len(content) - 1))
    end = place + data.draw(st.integers(0, 400))
    return content[:place] + data.draw(st.binary(max_size=50)) + content[end:]


@pytest.mark.slow
@settings(max_examples=25)
@given(data=st.data())
def test_damage_to_numbers_moves_no_other_row(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    results = tmp_path_factory.mktemp("damage")
    put(results, make_card("zero"), make_run(0.2, 1))
    before = rows(results)
    path = put(results, make_card("bad", "bad"), make_run(0.5, 3)) / data.draw(
        st.sampled_from(["metrics.parquet", "run.trec.gz"])
    )
    damaged = _damaged(path.read_bytes(), data)
    if damaged != path.read_bytes():
        path.write_bytes(damaged)
        assert rows(results) == before and list(skipped(results)) == ["semanlink/bad"]


@pytest.mark.slow
@settings(max_examples=25)
@given(data=st.data())
def test_damage_to_a_card_leaves_the_others_readable(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    results = tmp_path_factory.mktemp("damage")
    put(results, make_card("zero"), make_run(0.2, 1))
    (before,) = rows(results)
    path = put(results, make_card("bad", "bad"), make_run(0.5, 3)) / "card.yaml"
    path.write_bytes(_damaged(path.read_bytes(), data))
    found = load_board(results).as_json()
    assert before["metrics"] in [row["metrics"] for row in found["rows"]]
    assert len(found["rows"]) + len(found["skipped"]) == 2 or found["notes"]
