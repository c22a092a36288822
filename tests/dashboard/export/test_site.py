"""The exported site: its files, its numbers, what strangers wrote in them, and what it refuses to overwrite."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dashboard.export.site import PAGES, export
from harness.cli.main import main
from harness.errors import UserError
from harness.leaderboard import row_texts
from harness.leaderboard.board import load_board
from harness.leaderboard.curves.fitted import statistics_of
from harness.leaderboard.curves.series import chart
from harness.leaderboard.curves.targets import labels_needed
from harness.leaderboard.load_results import load_results
from harness.leaderboard.render import board_files
from harness.leaderboard.report.all_pairs import all_pairs
from harness.leaderboard.row_texts import titles
from tests.leaderboard.hostile import GOOD, REFUSED, SCRIPT, put_hostile


class Read(HTMLParser):
    """The tags of a page with their attributes, its texts, and the cells of its tables by caption."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.tables: dict[str, list[list[tuple[str, str]]]] = {}
        self._table, self._cell = "", False
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.tags.append((tag, about))
        if tag == "div" and about.get("role") == "region":
            self._table = about["aria-label"] or ""
            self.tables[self._table] = []
        if tag == "tr" and self._table:
            self.tables[self._table].append([])
        if tag in ("td", "th") and self._table:
            self._cell = True
            self.tables[self._table][-1].append(("", about.get("data-sort") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False
        if tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cell:
            line = self.tables[self._table][-1]
            line[-1] = (line[-1][0] + data.strip(), line[-1][1])

    def columns(self, name: str) -> dict[str, list[tuple[str, str]]]:
        """Text and sort value of every cell of a table, by heading."""
        head, *rows = self.tables[name]
        return {heading: [row[number] for row in rows] for number, (heading, _) in enumerate(head)}


def test_its_numbers_are_those_of_the_board(site: Path, folder: Path) -> None:
    found = load_board(folder)
    (table,) = found.tables
    assert json.loads((site / "board.json").read_text()) == json.loads(json.dumps(found.as_json()))
    assert (site / "board.csv").read_text() == board_files.csv(found)
    shown = Read(site / "index.html").columns(f"Leaderboard of {table.collection} · {table.split}")
    for metric in table.metrics:
        assert [float(value) for _, value in shown[metric]] == [row.metrics[metric].mean for row in table.rows]
        assert [text for text, _ in shown[metric]] == [row_texts.mean(row, metric) for row in table.rows]
    assert [text for text, _ in shown["95 %"]] == [row_texts.interval(row, table.metric) for row in table.rows]
    assert [value for _, value in shown["against baseline"]] == [
        str(row.against.difference) if row.against else "" for row in table.rows
    ]
    assert [float(value) for _, value in shown["USD"]] == [row.cost["usd"] for row in table.rows]


def test_its_comparisons_are_those_of_the_board_and_the_report(site: Path, folder: Path) -> None:
    result_set = load_results(folder)
    (table,) = load_board(folder).tables
    page = Read(site / "comparisons.html")
    tested = page.columns("Each row against the baseline")
    against = [row.against for row in table.rows if row.against]
    assert [float(value) for _, value in tested["difference"]] == [one.difference for one in against]
    assert [value for _, value in tested["p adj."]] == ["" if one.p is None else str(one.p_adjusted) for one in against]
    pairs = all_pairs(result_set, table, list(titles(table).items()))
    listed = page.columns("All pairs")
    for heading, key in (
        ("difference", "difference"),
        ("p", "p"),
        ("p adj.", "p_adjusted"),
        ("P(better)", "superiority"),
    ):
        known = ["" if one[key] is None else str(one[key]) for one in pairs.answer["comparisons"]]
        assert [value for _, value in listed[heading]] == known
    matrix = page.tables["Matrix of all pairs"]
    assert [cell for cell, _ in matrix[0][1:]] == list(pairs.letters.values())
    first, second = pairs.names[:2]
    above, below = pairs.cell(first, second), pairs.cell(second, first)
    assert matrix[1][2][0] == f"{above.mark} {above.difference:+.3f}"
    assert matrix[2][1][0] == f"{below.mark} {below.difference:+.3f}"


def test_its_curves_are_those_of_the_board(site: Path, folder: Path) -> None:
    result_set = load_results(folder)
    (table,) = load_board(folder).tables
    drawn = chart(table)
    page = Read(site / "curves.html")
    points = [point for one in drawn.series for point in one.points]
    shown = page.columns("labelled queries")
    assert [float(value) for _, value in shown["nDCG@10"]][: len(points)] == [point.mean for point in points]
    assert [float(value) for _, value in shown["low"] if value] == [point.low for point in points]
    statistics = statistics_of(result_set, table, drawn)
    needs = page.columns("What each curve needs")
    assert [value for _, value in needs["area"]] == [
        str(one.area.value) if one.area else "" for one in statistics.fitted
    ]
    for name, target in statistics.targets.items():
        assert [text for text, _ in needs[f"labels to reach {name}"]] == [
            one.words for one in labels_needed(statistics, target)
        ]


def test_every_link_leads_to_a_page_and_every_run_has_one(site: Path, folder: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    runs = load_results(folder).runs
    assert len(pages) == len(PAGES) + len(runs)
    for page in pages:
        for tag, about in Read(page).tags:
            for name in ("href", "src"):
                target = (about.get(name) or "").partition("#")[0]
                assert not target or (page.parent / target).is_file(), (page, tag, about)
    tags = {re.search(r"<h1>(.*?)</h1>", page.read_text())[1] for page in (site / "runs").iterdir()}
    assert tags == {run.card.tag for run in runs}


def test_no_page_says_where_the_results_lie(site: Path, folder: Path) -> None:
    assert all(str(folder) not in file.read_text() for file in site.rglob("*.*"))


def test_what_strangers_wrote_stays_text(tmp_path: Path) -> None:
    mark = put_hostile(tmp_path / "results", tmp_path / "outside")
    export(tmp_path / "results", tmp_path / "site")
    for page in (tmp_path / "site").rglob("*.html"):
        found = Read(page)
        assert [tag for tag, _ in found.tags].count("script") == 1
        assert not {"img", "iframe", "object", "embed", "link", "base"} & {tag for tag, _ in found.tags}
        for _, about in found.tags:
            assert not any(name.startswith("on") for name in about)
            assert not (about.get("href") or "").startswith("javascript")
    index = Read(tmp_path / "site" / "index.html")
    shown = index.columns("Leaderboard of semanlink · test")["method"]
    assert {text for text, _ in shown} == GOOD and SCRIPT in GOOD
    said = "".join(index.texts)
    assert all(f"{folder}: " in said for folder in REFUSED)
    assert not mark.exists()


def test_what_is_no_exported_site_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="no exported site"):
        export(folder, tmp_path)
    with pytest.raises(UserError, match="no exported site"):
        export(folder, tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_earlier_export_is_replaced(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    pages = export(folder, out)
    (out / "runs" / "gone.html").write_text("of a run that is gone")
    assert export(folder, out) == pages == len(list(out.rglob("*.html")))


def test_a_folder_without_runs_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results folder"):
        export(tmp_path / "nowhere", tmp_path / "site")
    (tmp_path / "results").mkdir()
    with pytest.raises(UserError, match="no published runs"):
        export(tmp_path / "results", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_command_writes_a_site_and_serves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["harness", "dashboard", "--results", str(folder), "--export", str(tmp_path / "site")]
    )
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
    assert "open" in capsys.readouterr().err
    assert (tmp_path / "site" / "index.html").is_file()
