"""The exported site in a real browser, from its files: nothing is loaded from anywhere, nothing complains, sorting and
filters work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.export.site import export
from harness.leaderboard.board import load_board
from harness.leaderboard.filters import Filter, choices, passing_rows
from harness.leaderboard.row_texts import titles
from tests.leaderboard.hostile import put_hostile

pytestmark = pytest.mark.browser


class Watched:
    """A page of a browser, with everything that it asked for or complained about."""

    def __init__(self, chromium: object, **options: object) -> None:
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))


@pytest.fixture
def watched(chromium: object) -> Iterator[Watched]:
    found = Watched(chromium, viewport={"width": 1280, "height": 900})
    yield found
    found.context.close()


def shown(watched: Watched) -> list[str]:
    """Methods on the leaderboard, from above, those that are hidden left out."""
    return watched.page.locator("[data-table=t1] tbody tr:visible td:nth-child(2) a").all_inner_texts()


def test_every_page_opens_from_its_file_and_loads_nothing(watched: Watched, site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        watched.page.goto(page.as_uri())
        assert watched.page.locator("h1").count() == 1
    assert watched.asked == [page.as_uri() for page in pages]
    assert watched.complaints == []


def test_a_click_on_a_heading_sorts(watched: Watched, site: Path, folder: Path) -> None:
    (table,) = load_board(folder).tables
    watched.page.goto((site / "index.html").as_uri())
    heading = watched.page.get_by_role("columnheader", name="R@100")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    by_recall = sorted(table.rows, key=lambda row: -row.metrics["R@100"].mean)
    assert shown(watched) == [row.method for row in by_recall]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    watched.page.get_by_role("columnheader", name="labels", exact=True).get_by_role("button").click()
    without = [row for row in table.rows if row.budget is None]
    assert sorted(shown(watched)[-len(without) :]) == sorted(row.method for row in without)
    assert watched.complaints == []


def test_filters_hide_the_rows_that_the_dashboard_hides(watched: Watched, site: Path, folder: Path) -> None:
    (table,) = load_board(folder).tables
    watched.page.goto((site / "index.html").as_uri())
    for facet in ("group", "teacher", "budget", "loss", "sees", "without"):
        for value in choices(table, facet):
            watched.page.get_by_role("button", name="Show all").click()
            watched.page.locator(f"[data-table=t1] select[name={facet}]").select_option(value)
            wanted = [row.method for row in passing_rows(table, Filter(**{facet: frozenset([value])}))]
            assert shown(watched) == wanted, (facet, value)
            assert (
                watched.page.locator("[data-table=t1] output").inner_text()
                == f"{len(wanted)} of {len(table.rows)} rows"
            )


def test_choices_stand_in_the_address(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "index.html").as_uri())
    page.get_by_label("Search").fill("intermediate listmle")
    page.get_by_role("columnheader", name="method").get_by_role("button").click()
    before, address = shown(watched), page.url
    assert before
    page.goto("about:blank")
    page.goto(address)
    assert shown(watched) == before
    assert page.get_by_label("Search").input_value() == "intermediate listmle"
    page.get_by_role("button", name="Show all").click()
    assert len(shown(watched)) > len(before)


def test_from_the_board_to_a_run_and_back(watched: Watched, site: Path, folder: Path) -> None:
    (table,) = load_board(folder).tables
    page = watched.page
    page.goto((site / "index.html").as_uri())
    page.locator("[data-table=t1] tbody tr a").first.click()
    assert page.locator("h1").inner_text() == table.rows[0].run_ids[0]
    page.get_by_role("link", name=next(iter(titles(table)))).click()
    assert page.locator("h1").inner_text() == "Leaderboard"


def test_a_phone_scrolls_no_page_sideways(chromium: object, site: Path) -> None:
    watched = Watched(chromium, viewport={"width": 390, "height": 844})
    for page in [*site.glob("*.html"), next((site / "runs").iterdir())]:
        watched.page.goto(page.as_uri())
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390, page.name
    watched.context.close()


def test_a_stranger_s_results_run_nothing(watched: Watched, tmp_path: Path) -> None:
    put_hostile(tmp_path / "results", tmp_path / "outside")
    export(tmp_path / "results", tmp_path / "site")
    for page in (tmp_path / "site").rglob("*.html"):
        watched.page.goto(page.as_uri())
        assert watched.page.locator("script:has-text('alert(1)'), img[src=x], a[href^=javascript]").count() == 0
    assert watched.complaints == []


def test_the_policy_lets_no_other_script_run(watched: Watched, site: Path, tmp_path: Path) -> None:
    """Were a text ever not escaped, it would still run nothing."""
    text = (site / "index.html").read_text()
    (tmp_path / "bad.html").write_text(
        text.replace("<h1>", "<script>document.title = 'run'</script><img src=x onerror='document.title=1'><h1>")
    )
    watched.page.goto((tmp_path / "bad.html").as_uri())
    assert watched.page.title() == "Leaderboard"
    assert any("Content Security Policy" in said for said in watched.complaints)
