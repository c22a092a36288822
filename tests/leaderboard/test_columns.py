"""A column is said once and stands wherever rows are shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from dashboard.export.site import export
from dashboard.tables.table import TableDisplay, column_config, page_values
from harness.leaderboard import columns
from harness.leaderboard.board import Board, load_board
from harness.leaderboard.column import Column
from harness.leaderboard.column_layouts import LAYOUTS, arranged
from harness.leaderboard.render import board_files
from harness.leaderboard.report.page import FORMS, make_report, render
from tests.leaderboard.runs import make_card, make_run, put

HEADING, HELP = "letters", "How many letters the name of the method has."
NEW = Column("letters", HEADING, HELP, lambda row: len(row.method), lambda row: f"{len(row.method)} of them", "number")


class Cells(HTMLParser):
    """The texts of a page's table cells and headings, and all its titles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.titles: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.titles += [value or "" for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())


@pytest.fixture
def found(results: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    monkeypatch.setattr(columns, "FIXED", (*columns.FIXED, NEW))
    return load_board(results)


def test_a_new_column_is_in_json_and_csv(found: Board) -> None:
    rows = found.tables[0].rows
    letters = [len(row.method) for row in rows]
    assert [row["letters"] for row in json.loads(json.dumps(found.as_json()))["rows"]] == letters
    assert [int(line["letters"]) for line in csv.DictReader(io.StringIO(board_files.csv(found)))] == letters


def test_a_new_column_is_in_the_terminal_in_markdown_and_in_latex(found: Board) -> None:
    console = Console(width=300, file=io.StringIO())
    console.print(board_files.terminal(found))
    for text in (console.file.getvalue(), board_files.markdown(found), board_files.latex(found)):
        assert HEADING in text
        assert text.count("9 of them") == sum(len(row.method) == 9 for row in found.tables[0].rows) > 0


def test_a_narrow_terminal_says_that_a_new_column_has_no_room(found: Board) -> None:
    console = Console(width=100, file=io.StringIO())
    console.print(board_files.terminal(found))
    assert HEADING in console.file.getvalue().split("no room here for: ")[1]


def test_a_new_column_is_on_the_page_and_in_the_exported_site(found: Board, results: Path, tmp_path: Path) -> None:
    (table,) = found.tables
    assert page_values(table, table.rows, TableDisplay())[HEADING] == [len(row.method) for row in table.rows]
    assert HEADING in column_config(table)
    export(results, tmp_path / "site")
    page = Cells((tmp_path / "site" / "index.html").read_text())
    assert HEADING in page.found and page.found.count("9 of them") == sum(len(row.method) == 9 for row in table.rows)


@pytest.mark.parametrize("form", FORMS)
def test_a_new_column_is_in_the_report(found: Board, results: Path, form: str) -> None:
    text = render(make_report(results), form)
    assert HEADING in text.lower()
    assert text.count("9 of them") == sum(len(row.method) == 9 for row in found.tables[0].rows)
    assert form != "html" or HELP in Cells(text).titles


def test_a_new_setting_stands_in_the_cell_of_the_method_where_there_is_little_room(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = Column("mood", "mood", "", lambda row: "sunny", lambda row: "sunny", group="settings")
    monkeypatch.setattr(columns, "FIXED", (*columns.FIXED, setting))
    found = load_board(results)
    assert "| zero-shot, sunny |" in board_files.markdown(found)
    assert "mood" not in board_files.markdown(found)
    assert page_values(found.tables[0], found.tables[0].rows, TableDisplay())["mood"] == ["sunny"] * len(
        found.tables[0].rows
    )


def test_layouts_name_columns_that_there_are(results: Path) -> None:
    (table,) = load_board(results).tables
    there_are = {column.layout_name for column in columns.columns(table)}
    assert {
        name for layout in LAYOUTS.values() for one in layout for name in ([one] if isinstance(one, str) else one)
    } == there_are


def test_a_metric_that_is_called_like_a_column_takes_nothing_from_it(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "first"), make_run(0.5))
    (table,) = load_board(tmp_path).tables
    evil = load_board(tmp_path).tables[0].__class__(**{**vars(table), "metrics": ("nDCG@10", "method")})
    assert [column.text(evil.rows[0]) for column in arranged("csv", evil) if column.key == ("method", "method")] == [
        "first"
    ]
    assert page_values(evil, evil.rows, TableDisplay())["method"] == ["first"]
