"""Tables on pages: what is seen first, what is shown only where it says something, and what leaves the page as a
file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from unittest.mock import Mock

import pytest

from dashboard.frame import frame
from dashboard.launch import command
from dashboard.screenshots import served
from dashboard.tables.table import TableDisplay, column_config, page_values, with_links
from harness.leaderboard.board import load_board
from harness.leaderboard.render import table_files
from tests.dashboard.pages import open_page
from tests.leaderboard.runs import make_card, make_run, put

pytestmark = pytest.mark.slow

LAPTOP = 820
"""Pixels for a table beside the sidebar of a window of 1280, the column of ticks and a scrollbar left out."""
FORMULA = '=HYPERLINK("http://example.org")'


def test_what_is_asked_first_fits_a_laptop(folder: Path) -> None:
    (table,) = load_board(folder).tables
    found, config = with_links(table, table.rows, TableDisplay()), column_config(table)
    first = ["#", "method", "nDCG@10", "against baseline", "labels", "95 %", "USD", "card"]
    assert list(found)[:8] == first
    # A window of 800 has room for the first four, pinned and held against the baseline.
    assert sum(config[name]["width"] for name in first[:4]) <= 480
    assert sum(config[name]["width"] for name in first) <= LAPTOP
    assert list(found).index("USD") < list(found).index("RR@10")


def test_settings_stand_where_any_row_has_some(folder: Path) -> None:
    (table,) = load_board(folder).tables
    assert page_values(table, table.rows, TableDisplay())["settings"] == [row.variant for row in table.rows]
    assert "settings" not in page_values(table, [row for row in table.rows if not row.variant], TableDisplay())


def test_what_a_row_was_tested_against_stands_where_that_differs(folder: Path, tmp_path: Path) -> None:
    (table,) = load_board(folder).tables
    assert "tested against" not in page_values(table, table.rows, TableDisplay())
    for number, (method, budget) in enumerate(
        (method, budget) for method in ("ours", "theirs") for budget in (100, 300)
    ):
        put(tmp_path, make_card(f"{method}-{budget}", method, budget=budget), make_run(0.2 * number, number))
    (table,) = load_board(tmp_path, baseline="theirs").tables
    said = dict(
        zip(
            ((row.method, row.budget) for row in table.rows),
            page_values(table, table.rows, TableDisplay())["tested against"],
            strict=True,
        )
    )
    assert said["theirs", 100] == said["theirs", 300] == ""
    assert "100" in said["ours", 100] and "300" in said["ours", 300]
    assert "tested against" not in page_values(table, table.rows, TableDisplay(tests=False))


def test_an_empty_table_has_room_for_saying_so_and_nothing_to_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = {}
    for rows in (0, 1, 2):
        where = Mock()
        frame({"stage": ["train"] * rows}, "Stages", where=where)
        heights[rows] = where.dataframe.call_args.kwargs["height"]
    assert heights[0] == heights[1] < heights[2]
    put(tmp_path, make_card("a", "untimed"), make_run(0.5))
    page = open_page(tmp_path, monkeypatch, "run", row="untimed")
    assert page.dataframe[1].value.empty
    assert not [button for button in page.get("download_button") if "Seconds by stage" in button.proto.label]


def test_no_file_holds_a_formula_of_a_stranger(page: object, tmp_path: Path) -> None:
    results = tmp_path / "results"
    put(results, make_card("a", "evil", label=FORMULA), make_run(0.5))
    (table,) = load_board(results).tables
    written = list(csv.reader(io.StringIO(table_files.page_csv(page_values(table, table.rows, TableDisplay())))))
    assert f"'{FORMULA}" in written[1] and FORMULA not in written[1]
    assert "--client.disableDataExport=true" in command(1)
    with served(results) as address:
        page.goto(address)
        page.locator("[data-testid=stDataFrame]").first.hover()
        page.locator("[data-testid=stElementToolbarButton]").first.wait_for()
        assert page.get_by_label("Search").count() >= 1
        assert page.get_by_label("Download as CSV").count() == 0
