"""In a real browser: choices on the way through the pages and back, ticks that stay with their rows, and nobody else is
asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from dashboard.screenshots import addresses, served
from harness.leaderboard.board import load_board
from harness.leaderboard.row_texts import titles
from tests.dashboard.pages import tick

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        with served(folder) as found:
            yield found


def told(page: object) -> dict[str, list[str]]:
    """The parameters of the address."""
    return parse_qs(urlparse(page.url).query)


def metric(page: object, name: str) -> None:
    """Choose a metric."""
    page.locator(".st-key-metric input").click()
    page.get_by_role("option", name=name).click()


def shows(page: object, name: str) -> None:
    """Wait until the page says that this metric is chosen."""
    page.wait_for_function("name => document.querySelector('.st-key-metric input')?.value === name", arg=name)


def test_choices_of_a_link_stay_on_other_pages_and_on_the_way_back(page: object, address: str) -> None:
    page.goto(f"{address}/?metric=R%40100&group=ours")
    page.get_by_text("3 rows hidden").wait_for()
    page.get_by_role("link", name="Cost").click()
    page.get_by_role("heading", name="Cost", exact=True).wait_for()
    shows(page, "R@100")
    assert told(page) == {"metric": ["R@100"], "group": ["ours"]}
    metric(page, "RR@10")
    page.wait_for_url("**/cost?*metric=RR*")
    page.go_back()
    page.wait_for_url("**/cost?*metric=R%40100*")
    shows(page, "R@100")
    page.go_back()
    page.get_by_role("heading", name="Leaderboard", exact=True).wait_for()
    page.get_by_text("3 rows hidden").wait_for()
    shows(page, "R@100")
    assert told(page) == {"metric": ["R@100"], "group": ["ours"]}
    page.go_forward()
    page.get_by_role("heading", name="Cost", exact=True).wait_for()
    shows(page, "R@100")


def test_ticks_stay_with_their_rows(page: object, address: str, folder: Path) -> None:
    page.goto(address)
    tick(page, 1, 2)
    page.get_by_role("link", name="Compare 2 rows").wait_for()
    ticked = list(titles(load_board(folder).tables[0]))[:2]
    metric(page, "R@100")
    page.wait_for_url("**/?*metric=R%40100*")
    page.get_by_text("Ticked:").wait_for()
    page.locator(".st-key-group input").click()
    page.get_by_role("option", name="baseline").click()
    page.get_by_text("hidden by the filters").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Compare 2 rows").click()
    page.get_by_role("heading", name="Query by query").wait_for()
    assert set(told(page)["rows"]) == set(ticked)
    assert told(page)["metric"] == ["R@100"]


def test_no_page_asks_anybody_else(page: object, address: str, folder: Path) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlparse(request.url).hostname or urlparse(request.url).scheme))
    for path in [*addresses(folder).values(), "sweep"]:
        page.goto(f"{address}/{path}")
        page.locator("h1").wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
    assert asked <= {"localhost", "data", "blob"}
