"""Which runs are of one content: cards of earlier versions name it otherwise, and what was left out counts."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.collections.scifact import SciFact
from harness.evaluation.metrics.per_query_file import read_scores
from harness.leaderboard.board import load_board
from harness.leaderboard.load_results import load_results
from tests.leaderboard.runs import make_card, make_run, put, put_scores

RESULTS = Path(__file__).parents[2] / "results"


def test_cards_with_the_hash_of_earlier_versions_share_the_table(tmp_path: Path) -> None:
    put(tmp_path, make_card("earlier", content_hash="ab" * 32), make_run(0.5))
    put(tmp_path, make_card("today", "bm25", content_hash="01" * 32, former_content_hash="ab" * 32), make_run(0.6))
    put(tmp_path, make_card("moved", "direct", content_hash="01" * 32, former_content_hash="cd" * 32), make_run(0.7))
    put(tmp_path, make_card("unknown", "other", content_hash="ef" * 32), make_run(0.7))
    put(tmp_path, make_card("split", content_hash="ab" * 32, split="dev"), make_run(0.5))
    found = load_board(tmp_path)
    assert {(table.split, table.content_hash[:2]): len(table.rows) for table in found.tables} == {
        ("test", "01"): 3,
        ("test", "ef"): 1,
        ("dev", "ab"): 1,
    }
    results = load_results(tmp_path)
    first = next(table for table in found.tables if table.content_hash[:2] == "01")
    assert len(results.runs_of(first)) == 3
    assert {run.card.tag for row in first.rows for run in results.runs_of_row(first, row)} == {
        "earlier",
        "today",
        "moved",
    }


def test_published_results_share_a_table_with_a_copy_in_any_order(tmp_path: Path) -> None:
    mark = SciFact.split_hashes["test"]
    shutil.copytree(RESULTS / "scifact", tmp_path / "scifact")
    for path in tmp_path.glob("scifact/*/card.yaml"):
        text = path.read_text().replace(f"    former content hash: {SciFact.former_hash}\n", "")
        path.write_text(text.replace(f"content hash: {mark}", f"content hash: {SciFact.former_hash}"))
    [before] = load_board(tmp_path).tables
    assert before.content_hash == SciFact.former_hash, "cards of earlier versions alone are shown as they were"
    card = make_card("copy", collection="scifact", content_hash=mark, former_content_hash="cd" * 32)
    scores = read_scores(next((tmp_path / "scifact").glob("bm25-*")) / "metrics.parquet")
    put_scores(tmp_path, card, make_run(0.5), scores)
    [table] = load_board(tmp_path).tables
    counts = [sum(row.runs for row in one.rows) for one in (before, table)]
    assert table.content_hash == mark and counts[1] == counts[0] + 1


def test_runs_without_identical_ids_are_no_rows_beside_those_with(tmp_path: Path) -> None:
    put(tmp_path, make_card("with"), make_run(0.5))
    put(tmp_path, make_card("without", drop_identical=True), make_run(0.6))
    kept, dropped = load_board(tmp_path).tables
    assert (kept.drop_identical, dropped.drop_identical) == (False, True)
    assert [table.rows[0].flags[-1] for table in (kept, dropped)] == [
        "content abababab",
        "content abababab without identical ids",
    ]
    assert [table["drop_identical"] for table in load_board(tmp_path).as_json()["tables"]] == [False, True]
