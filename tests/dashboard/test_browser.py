"""The dashboard in a real browser: addresses, filters, the way from the leaderboard to a query, a hostile folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from dashboard.app_pages import OF_RESULTS, PAGES
from dashboard.screenshots import addresses, served
from harness.leaderboard.board import load_board
from harness.leaderboard.render import board_files
from tests.dashboard.pages import FRAME, tick
from tests.leaderboard.hostile import put_hostile

pytestmark = pytest.mark.browser

CHART = "[data-testid=stVegaLiteChart]"
SOMETHING = {"curves": CHART, "collections": "[data-testid=stTable]"}
"""What a page shows first that is no table of rows."""


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        with served(folder) as found:
            yield found


def chosen(page: object, key: str) -> list[str]:
    """Values of a key in the address."""
    return parse_qs(urlparse(page.url).query).get(key, [])


def test_each_page_shows_something(page: object, address: str, folder: Path) -> None:
    for name, path in addresses(folder).items():
        page.goto(f"{address}/{path}")
        page.wait_for_selector(SOMETHING.get(name, FRAME))
        assert page.locator("h1").inner_text() == PAGES[name][0]
        assert page.locator("[data-testid=stException]").count() == 0


def test_a_choice_stands_in_the_address_and_stays_on_the_next_page(page: object, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(FRAME)
    page.locator(".st-key-metric input").click()
    page.get_by_role("option", name="RR@10").click()
    page.wait_for_url("**/*metric=RR*")
    assert chosen(page, "metric") == ["RR@10"]
    page.get_by_role("link", name="Budget curves").click()
    page.wait_for_selector(CHART)
    assert page.get_by_text("RR@10 by labelled queries").count() == 1
    page.goto(f"{address}/?metric=RR%4010&group=control")
    page.wait_for_selector(FRAME)
    page.get_by_text("4 rows hidden").wait_for()


def test_the_downloads_are_the_board(page: object, address: str, folder: Path, tmp_path: Path) -> None:
    page.goto(address)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Table as CSV").click()
    waiting.value.save_as(tmp_path / "board.csv")
    assert (tmp_path / "board.csv").read_text() == board_files.csv(load_board(folder))


def test_from_ticked_rows_to_their_comparison_and_a_query(page: object, address: str) -> None:
    page.goto(address)
    tick(page, 1, 2)
    page.get_by_role("link", name="Compare 2 rows").click()
    page.get_by_role("heading", name="Query by query").wait_for()
    assert len(chosen(page, "rows")) == 2
    page.get_by_role("link", name="Open it").click()
    page.get_by_text("Ranks to 10").wait_for()
    assert chosen(page, "query") != []


def test_a_stranger_s_folder_runs_nothing_in_the_browser(page: object, tmp_path: Path) -> None:
    put_hostile(tmp_path / "results", tmp_path / "outside")
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    with served(tmp_path / "results") as address:
        for name in OF_RESULTS:
            page.goto(f"{address}/{name}" if name != "leaderboard" else address)
            page.get_by_text("folders skipped").wait_for()
            page.wait_for_timeout(500)
            assert page.locator("script:has-text('alert(1)'), img[src=x], a[href^=javascript]").count() == 0
    assert said == []


def test_a_phone_scrolls_no_page_sideways(chromium: object, address: str, folder: Path) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    for name, path in addresses(folder).items():
        page.goto(f"{address}/{path}")
        page.wait_for_selector(SOMETHING.get(name, FRAME), timeout=60_000)
        page.wait_for_timeout(500)
        width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert width <= 390, name
    context.close()
