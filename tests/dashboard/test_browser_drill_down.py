"""In a real browser: charts as files, links that open the same view, pages of what is published beside a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from dashboard.screenshots import served
from tests.leaderboard.hostile import SCRIPT
from tests.leaderboard.labels import orders_of, put_labelled

pytestmark = pytest.mark.browser

CHART = "[data-testid=stVegaLiteChart]"
ROWS = ["direct-one · one · 40 labels", "direct-two · two · 40 labels"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    results = tmp_path_factory.mktemp("spoken") / "results"
    put_labelled(results, "one", orders_of(1), raw=SCRIPT)
    put_labelled(results, "two", orders_of(2), shown=orders_of(3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        with served(results) as found:
            yield found


def _saved(page: object, button: str, path: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).first.click()
    waiting.value.save_as(path)
    return path


def test_a_chart_is_saved_as_svg_and_png_and_a_table_as_csv_and_latex(
    page: object, address: str, tmp_path: Path
) -> None:
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    page.goto(f"{address}/teachers")
    page.locator(CHART).first.wait_for()
    text = _saved(page, "Chart as SVG", tmp_path / "a.svg").read_bytes()
    assert ElementTree.fromstring(text).tag.endswith("svg") and b"first stage" in text
    assert _saved(page, "Chart as PNG", tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert _saved(page, "Agreement as CSV", tmp_path / "a.csv").read_text().startswith("a,b,queries,Kendall's tau")
    assert r"\begin{tabular}" in _saved(page, "Agreement as LaTeX", tmp_path / "a.tex").read_text()


def test_a_link_opens_a_training_query_and_what_was_said_stays_text(page: object, address: str) -> None:
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    what = {"rows": ROWS, "what": "a training query, as the teachers saw it", "training": "t07"}
    page.goto(f"{address}/query?{urlencode(what, doseq=True)}")
    page.get_by_role("heading", name="text of t07").wait_for()
    page.get_by_text("alert(1)").first.wait_for()
    assert page.locator("script:has-text('alert(1)'), a[href^=javascript]").count() == 0
    assert said == []


def test_charts_have_words_for_screen_readers(page: object, address: str) -> None:
    page.goto(f"{address}/run?{urlencode({'row': ROWS[0]})}")
    for steps in (400, 2):
        told = page.locator(f"[aria-label*='over {steps} optimiser steps']")
        told.first.wait_for(state="attached")
        assert told.count() > 0


@pytest.mark.parametrize("view", ["teachers", "run", "query", "compare"])
def test_a_phone_scrolls_nothing_sideways(chromium: object, address: str, view: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    choice = {"row": ROWS[0], "rows": ROWS, "what": "a training query, as the teachers saw it"}
    page.goto(f"{address}/{view}?{urlencode(choice, doseq=True)}")
    page.locator("[data-testid=stDataFrame]").first.wait_for(timeout=60_000)
    page.wait_for_timeout(700)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    context.close()
