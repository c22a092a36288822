"""How a run was made, its training queries, its sections and files, as pages show them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.run_labels import row_of
from harness.leaderboard.board import load_board
from harness.leaderboard.inspect.run_details import downloads
from harness.leaderboard.inspect.run_provenance import HELD_OUT, TRAINING, model_folders, run_provenance
from harness.leaderboard.inspect.training_query import training_query
from harness.leaderboard.load_results import load_results
from harness.leaderboard.render.table_files import page_csv, page_latex
from harness.leaderboard.row_sections import by_sees
from harness.published.card import MethodSection
from harness.published.published_labels import read_labels
from tests.leaderboard.labels import CANDIDATES, orders_of, put_labelled
from tests.leaderboard.runs import make_card, make_run, put


def test_how_a_run_was_made(tmp_path: Path) -> None:
    put_labelled(tmp_path, "one", orders_of(1))
    (run,) = load_results(tmp_path).runs
    found = run_provenance(run)
    assert found is not None
    assert [(row.stage, row.seconds, row.cached) for row in found.stages] == [
        ("labels", 1.0, True),
        ("ranker", 3.5, True),
        ("retriever", 2.0, False),
    ]
    assert (found.seconds, found.seconds_incurred) == (6.5, 2.0)
    ranker, retriever = found.curves
    assert (ranker.steps, ranker.best_step, ranker.window, ranker.held_out) == (400, 200, 2, True)
    assert next(point.loss for point in ranker.points if point.kind == TRAINING) == 0.75
    assert [(point.step, point.loss) for point in ranker.points if point.kind == HELD_OUT] == [(200, 0.5), (400, 0.4)]
    assert not retriever.held_out
    folders = model_folders(found, tmp_path)
    assert {kind: there for kind, (_, there) in folders.items()} == {"ranker": False, "retriever": False}
    folders["ranker"][0].mkdir(parents=True)
    assert model_folders(found, tmp_path)["ranker"] == (tmp_path / "ranker" / ("ab" * 32), True)
    assert downloads(run)[3:] == ("provenance.json", "labels.jsonl.gz")


def test_a_run_of_before_says_nothing(tmp_path: Path) -> None:
    put(tmp_path, make_card("old"), make_run(0.5))
    (run,) = load_results(tmp_path).runs
    assert run_provenance(run) is None and read_labels(run.folder) is None
    assert downloads(run) == ("run.trec.gz", "metrics.parquet", "card.yaml")


def test_a_training_query_as_two_teachers_saw_it() -> None:
    first = row_of(
        Ranking("t", ("d2", "d0"), ("d1",), "partial", "too short", "[3] > [1]", presented=("d1", "d0", "d2")),
        "what",
        CANDIDATES[:3],
    )
    other = row_of(Ranking("t", ("d1", "d3"), scores=(0.5, 0.25)), "what", ("d3", "d1"), {"d3": 2.0, "d1": 1.0})
    assert first is not None and other is not None
    found = training_query([("one", first), ("none", None), ("two", other)])
    assert (found.query, found.text) == ("t", "what")
    assert [one.document for one in found.candidates] == ["d0", "d1", "d2", "d3"]
    d0, d1, d2, d3 = found.candidates
    assert (d0.placed, d1.placed, d2.placed, d3.placed) == (
        (2, None, None),
        (None, None, 1),
        (1, None, None),
        (None, None, 2),
    )
    assert (d0.presented_at, d1.presented_at, d3.presented_at) == ((2, None, None), (1, None, 2), (None, None, 1))
    assert (d1.scores, d3.scores) == ((None, None, 0.5), (None, None, 0.25))
    assert (d1.ranker_placed, d3.ranker_placed, d1.ranker) == ((None, None, 2), (None, None, 1), (None, None, 1.0))
    assert [(one.name, one.verdict, one.reason, one.raw) for one in found.opinions] == [
        ("one", "partial", "too short", "[3] > [1]"),
        ("two", "ok", "", ""),
    ]


def test_words_of_a_teacher_have_no_control_characters() -> None:
    row = row_of(Ranking("t", ("a", "b"), raw="one\ntwo\x1b[31m\u202ethree"), "", ("a", "b"))
    assert row is not None
    assert training_query([("x", row)]).opinions[0].raw == "one\ntwo\ufffd[31m\ufffdthree"


def test_rows_stand_with_those_that_see_the_same(tmp_path: Path) -> None:
    for number, sees in enumerate((("gold labels", "answers"), ("order",), ("nothing",), ("order",), ())):
        card = make_card(f"m{number}", f"m{number}").model_copy(
            update={"method": MethodSection(name=f"m{number}", category="baseline", sees=sees)}
        )
        put(tmp_path, card, make_run(0.5, number))
    (table,) = load_board(tmp_path).tables
    found = by_sees(table.rows)
    assert {sees: {row.method for row in rows} for sees, rows in found.items()} == {
        "nothing": {"m2", "m4"},
        "order": {"m1", "m3"},
        "answers and gold labels": {"m0"},
    }
    assert list(found) == ["nothing", "order", "answers and gold labels"]
    ranks = [row.rank for row in found["order"] if row.rank is not None]
    assert ranks == sorted(ranks)


def test_a_table_as_csv_and_latex() -> None:
    columns = {"row": ["=1+1", "a_b\n& c"], "n": [1_000, 2], "share": [0.123456789, None]}
    assert list(csv.reader(io.StringIO(page_csv(columns)))) == [
        ["row", "n", "share"],
        ["'=1+1", "1000", "0.123456789"],
        ["a_b\n& c", "2", ""],
    ]
    lines = page_latex(columns, "50 %\nnew").splitlines()
    assert lines[0] == r"% 50 \% new"
    assert lines[1] == r"\begin{tabular}{lrr}"
    assert lines[-3] == r"a\_b \& c & 2 &  \\"
    assert "1,000 & 0.1235" in lines[5]
