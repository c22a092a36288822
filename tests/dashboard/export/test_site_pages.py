"""The exported pages over all collections, of costs, teachers and methods have the numbers of the board."""

from __future__ import annotations

from pathlib import Path

from harness.leaderboard.board import load_board
from harness.leaderboard.curves.frontier import LABELLED, PRICES, frontier, unpriced
from harness.leaderboard.inspect.method_facts import method_facts
from harness.leaderboard.inspect.teacher_summary import teacher_summaries
from harness.leaderboard.load_results import load_results
from harness.leaderboard.overview.headline import headline, words_of
from harness.leaderboard.overview.method_grid import method_grid
from harness.leaderboard.row_texts import titles
from tests.dashboard.export.test_site import Read


def test_the_first_page_and_that_of_all_collections_open_with_the_verdicts(folder: Path, site: Path) -> None:
    (table,) = load_board(folder).tables
    for name in ("index", "collections"):
        page = Read(site / f"{name}.html")
        said = "".join(page.texts)
        assert all(words_of(sentence) in said for sentence in headline(table))
        links = [
            about["href"] for tag, about in page.tags if tag == "a" and (about.get("href") or "").startswith("runs/")
        ]
        assert links and all((site / str(link)).is_file() for link in links)


def test_the_grid_is_that_of_the_dashboard(folder: Path, site: Path) -> None:
    lines = method_grid(load_board(folder).tables)
    shown = Read(site / "collections.html").columns("Methods by collection")
    assert [value for _, value in shown["method"]] == [line.name for line in lines]
    (column,) = (values for name, values in shown.items() if name != "method")
    assert [text.strip() for text, _ in column] == [line.cells[0].text if line.cells[0] else "" for line in lines]


def test_costs_teachers_and_methods_have_the_numbers_of_the_board(folder: Path, site: Path) -> None:
    result_set, (table,) = load_results(folder), load_board(folder).tables
    page = Read(site / "cost.html")
    for price in [one for one in PRICES if one not in unpriced(table.rows)]:
        found = frontier(result_set, table, list(titles(table).items()), price, among=LABELLED)
        shown = page.columns(f"{table.metric} by {found.title}")
        assert [value for _, value in shown["row"]] == [one.title for one in found.rows]
        assert [value for _, value in shown[found.title]] == [str(one.price) for one in found.rows]
    teachers = Read(site / "teachers.html").columns("Teachers")
    assert [value for _, value in teachers["name"]] == [one.name for one in teacher_summaries(result_set.runs)]
    methods = Read(site / "methods.html").columns("Methods of semanlink · test")
    assert [value for _, value in methods["what it is"]] == [
        one.summary or "no package on this machine has it" for one in method_facts(result_set, table)
    ]


def test_flags_and_settings_stand_below_the_name_of_the_method(folder: Path, site: Path) -> None:
    (table,) = load_board(folder).tables
    cells = Read(site / "index.html").columns("Leaderboard of semanlink · test")["method"]
    for (text, _), row in zip(cells, table.rows, strict=True):
        assert text.startswith(row.method) and all(flag in text or flag == row.teacher_type for flag in row.flags)
        assert (row.teacher or "") in text
