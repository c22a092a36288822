"""The pages over all collections and of methods, and what Run and Teachers say first."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.app_pages import PAGES
from dashboard.text import literal, run_address
from dashboard.words import INTRODUCTION, QUESTIONS
from harness.leaderboard.board import load_board
from harness.leaderboard.collections_meta import meta_of
from harness.leaderboard.inspect.run_details import scores
from harness.leaderboard.load_results import load_results
from harness.leaderboard.overview.headline import headline
from harness.leaderboard.overview.method_grid import method_grid
from tests.dashboard.pages import open_page
from tests.leaderboard.runs import make_card, make_run, put, put_board, teacher
from tests.leaderboard.traces import put_traced, trace_of

pytestmark = pytest.mark.slow


def test_every_page_opens_with_its_question_and_the_first_says_what_a_leaderboard_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_board(tmp_path)
    assert list(QUESTIONS) == list(PAGES)
    for name in ("leaderboard", "cost", "teachers"):
        page = open_page(tmp_path, monkeypatch, name)
        assert [title.value for title in page.title] == [PAGES[name][0]]
        said = [text.value for text in page.markdown]
        assert said[0] == literal(QUESTIONS[name])
        assert (INTRODUCTION in said) == (name == "leaderboard")


def test_all_collections_have_their_verdicts_a_grid_and_pooled_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_board(tmp_path)
    for tag, method, quality in (("zero-2", "zero-shot", 0.2), ("no-llm-2", "no-llm", 0.9)):
        put(tmp_path, make_card(tag, method, collection="scifact", seed=0), make_run(quality, 4))
    page = open_page(tmp_path, monkeypatch, "collections")
    tables = load_board(tmp_path).tables
    said = [text.value for text in page.markdown]
    for table in tables:
        assert any(text.count("\n") + 1 == len(headline(table)) for text in said if text.startswith("- "))
    grid = page.table[0].value
    lines = method_grid(tables)
    assert grid["method"].tolist() == [literal(line.name) for line in lines]
    for place, (column, table) in enumerate(zip(grid.columns[1:], tables, strict=True)):
        assert column.startswith(literal(f"{table.collection} · test (nDCG@10 against"))
        for text, line in zip(grid[column], lines, strict=True):
            cell = line.cells[place]
            wanted = f"[{literal(cell.text)}]({run_address(table, cell.rows[0].run_ids[0])})" if cell else ""
            assert text == wanted
    assert page.dataframe[-1].value["method"].tolist() == [one.name for one in meta_of(load_results(tmp_path)).methods]


def test_one_collection_has_nothing_to_pool(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "collections")
    assert not page.dataframe and len(page.table) == 1


def test_a_method_says_what_it_is_and_shows_its_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "methods", method="no-llm")
    assert page.subheader[0].value == literal("no-llm")
    assert any("harness show method no\\-llm" in text.value for text in page.markdown)
    assert [text.split(" ")[0] for text in page.dataframe[0].value["method"]] == ["no-llm"]
    assert page.dataframe[1].value["method"].tolist() == ["intermediate", "no-llm", "zero-shot"]


def test_run_shows_its_scores_and_what_the_board_says_of_its_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "run", run="no-llm")
    (run,) = [run for run in load_results(folder).runs if run.card.tag == "no-llm"]
    (table,) = load_board(folder).tables
    (row,) = [row for row in table.rows if row.method == "no-llm"]
    found = scores(run, table.queries)
    assert {one.label: one.value for one in page.metric} == {
        literal(name): f"{mean:.3f}" for name, mean in found.items()
    }
    said = " ".join(text.value for text in page.markdown).replace("\\", "")
    assert f"place {row.rank}" in said and "against zero-shot (not shown)" in said
    notes = [literal(note) for note in table.notes if note not in table.anchors]
    assert [*notes, *map(literal, row.flags)] == [text.value for text in page.warning]


def test_teachers_show_quality_by_judgments_and_real_ones_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {"ok": 100}
    put_traced(tmp_path, 100, 0, 0.5, trace_of(0.5), labels=labels)
    placebo = teacher("a-placebo", teacher_type="placebo")
    put(tmp_path, make_card("p", "direct", budget=100, resample=0, teacher=placebo, labels=labels), make_run(0.2))
    shown = open_page(tmp_path, monkeypatch, "teachers").dataframe[0].value
    assert shown["name"].tolist() == ["smollm2", "a-placebo"]
    assert shown["nDCG@10 by judgments"].tolist()[0] == 0.75 and shown["first stage's"].tolist()[0] == 0.5
    assert shown["nDCG@10 by judgments"].isna().tolist() == [False, True]
