"""What is found wrong with a collection, or with runs and qrels, is said wherever its numbers are: on plan and sweep
each time, in --json, on card and board."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

import harness
from harness.published.run_export import export_qrels
from tests.calling import call
from tests.collections.folders import write_folder

FAULTY = {
    "documents": [
        {"_id": "d1", "text": "flow over plates"},
        {"_id": "d2", "text": "heat in slabs"},
        {"_id": "d3", "text": "heat in slabs"},
        {"_id": "d4", "text": ""},
        {"_id": "d5", "text": "shock waves"},
        {"_id": "d5", "text": "shock waves"},
    ],
    "qrels": {"test": [("q1", "d1", 1), ("q1", "d9", 1), ("q2", "d2", 1), ("nobody", "d1", 1)]},
}
LINES = [
    "1 documents without any text (kept): d4",
    "1 documents that repeat an earlier one to the letter (read once): d5",
    "1 documents with the text of another one (kept): d3",
    "1 judgments in 'test' of queries that the collection does not have (left out): nobody",
    "1 judgments in 'test' of documents that the collection does not have (kept): q1 d9",
]


def test_faults_of_a_collection_are_said_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "mine", **FAULTY)
    write_folder(tmp_path / "right", qrels={"test": [("q1", "d1", 1)]})
    Path("sweep.yaml").write_text("collections: [{folder: mine}, {folder: right}]\nmethods: [bm25]\n")
    told = [f"collection 'mine': {line}" for line in LINES]
    for _ in range(2):
        assert call(monkeypatch, "plan", "sweep.yaml", "--json") == 0
        plan = json.loads(capsys.readouterr().out)
        assert plan["notices"] == told
        assert [fault["count"] for fault in plan["collections"][0]["warnings"] if "judg" in fault["message"]][:2] == [
            1,
            1,
        ]
        assert call(monkeypatch, "sweep", "sweep.yaml", "--json") == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["notices"] == told
        assert [line for line in err.splitlines() if line.startswith("notice")] == [f"notice: {line}" for line in told]
    [folder] = Path("results/mine").iterdir()
    assert list(harness.load_result(folder).card.collection.warnings) == LINES
    board = harness.load_board("results").as_json()
    flags = {row["collection"]: row["flags"] for row in board["rows"]}
    assert "faults in its collection" in flags["mine"] and "faults in its collection" not in flags["right"]
    assert [note for note in board["notes"] if "faults" in note] == [
        f"mine (test): faults in the collection: {line}" for line in LINES
    ]


AWKWARD = ["doc 1", " led", "trailing ", "a\tb", "hard\u00a0space", "line\nend", "#tag", "50%20", '"quoted"', '5"']


def test_a_sweep_with_ids_as_they_come_is_that_with_plain_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["flow", "plate", "heat", "slab", "shock", "wave", "layer", "edge", "gas", "jet"]
    # Ties are broken by id: the plain ones have the same order.
    plain = [f"x{sorted(AWKWARD).index(name)}" for name in AWKWARD]
    for name, ids in (("awkward", AWKWARD), ("plain", plain)):
        documents = [{"_id": ids[k], "text": f"{word} {words[k - 1]} number {k}"} for k, word in enumerate(words)]
        queries = [{"_id": ids[k], "text": f"{word} {words[k - 1]}"} for k, word in enumerate(words)]
        folder = write_folder(tmp_path / name, documents=documents, queries=queries, qrels={"test": [("x", "x", 1)]})
        export_qrels({ids[k]: {ids[k]: 1, ids[k - 1]: 2} for k in range(10)}, folder / "qrels" / "test.tsv")
    Path("sweep.yaml").write_text("collections: [{folder: awkward}, {folder: plain}]\nmethods: [bm25]\n")
    assert call(monkeypatch, "sweep", "sweep.yaml") == 0
    assert "6 document ids that hold white space" in capsys.readouterr().err
    rows = harness.load_board("results").as_json()["rows"]
    found = {(row["collection"], row["method"]): row["metrics"]["nDCG@10"]["mean"] for row in rows}
    assert found["awkward", "bm25"] == found["plain", "bm25"] > 0.5
    for folder in Path("results/awkward").iterdir():
        assert call(monkeypatch, "verify", str(folder), "--qrels", "awkward/qrels/test.tsv") == 0


QRELS = "q1 0 d1 1\nq2 0 caf\u00e9 1\n"


def test_runs_and_qrels_that_are_not_of_one_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("qrels.txt.xz").write_bytes(lzma.compress(QRELS.encode()))
    Path("other.trec").write_text("t1 Q0 d1 1 2 r\n")
    Path("good.trec.gz").write_bytes(gzip.compress(b"q1 Q0 d1 1 2 good\n"))
    for arguments in (["evaluate", "other.trec"], ["compare", "good.trec.gz", "other.trec"]):
        assert call(monkeypatch, *arguments, "--qrels", "qrels.txt.xz") == 2
        err = capsys.readouterr().err
        assert "the run 'r' and the qrels have no query in common: the run has 't1', the qrels have 'q1', 'q2'" in err
    Path("form.trec").write_text("q1 Q0 d7 1 2 form\nq2 Q0 cafe\u0301 1 2 form\n")
    assert call(monkeypatch, "evaluate", "form.trec", "--qrels", "qrels.txt.xz", "--json") == 0
    notices = json.loads(capsys.readouterr().out)["notices"]
    assert "returns no judged document" in notices[0]
    assert "differ in Unicode form or white space only, and count as two" in notices[1]
    assert call(monkeypatch, "evaluate", "good.trec.gz", "--qrels", "qrels.txt.xz", "--json") == 0
    assert json.loads(capsys.readouterr().out)["notices"] == []


def test_queries_that_are_documents_are_said_and_may_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {"a1": "cats are better", "a2": "cats are worse", "a3": "dogs bark"}
    rows = [{"_id": name, "text": text} for name, text in texts.items()]
    write_folder(tmp_path / "args", documents=rows, queries=rows[:1], qrels={"test": [("a1", "a2", 1)]})
    Path("sweep.yaml").write_text("collections: [{folder: args}]\nmethods: [bm25]\n")
    assert call(monkeypatch, "plan", "sweep.yaml", "--json") == 0
    [notice] = json.loads(capsys.readouterr().out)["notices"]
    assert "1 queries of 'test' that are documents of the collection too (kept, and found): a1" in notice
    Path("run.trec").write_text("a1 Q0 a1 1 2 r\na1 Q0 a2 2 1 r\n")
    values = []
    for option in ([], ["--drop-identical"]):
        assert call(monkeypatch, "evaluate", "run.trec", "--qrels", "args/qrels/test.tsv", "--json", *option) == 0
        answer = json.loads(capsys.readouterr().out)
        values.append((round(answer["metrics"]["nDCG@10"], 3), len(answer["notices"])))
    assert values == [(0.631, 1), (1.0, 0)]
