"""A stranger's folder in the pages: text stays text, bad files are named, good runs are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import OF_RESULTS
from tests.dashboard.pages import methods, open_page
from tests.leaderboard.hostile import GOOD, REFUSED, SCRIPT, put_hostile, rehash

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("hostile")
    return base / "results", put_hostile(base / "results", base / "outside")


def assert_inert(page: AppTest) -> None:
    """Nothing on the page that Markdown would make more of than letters."""
    for element in (*page.warning, *page.caption, *page.subheader, *page.error, *page.info, *page.markdown):
        assert not re.search(r"(?<!\\)(<script|<img|\]\((?!run\?[\w.%+&=-]+\)))", element.value), element.value


@pytest.mark.parametrize("view", OF_RESULTS)
def test_every_page_survives(hostile: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    results, mark = hostile
    script = f"{SCRIPT} · 100 labels"
    address = {"rows": ["zero-shot", script], "shown": ["zero-shot", script], "row": script}
    page = open_page(results, monkeypatch, view, **address)
    assert_inert(page)
    said = "\n".join(text.value for text in page.expander[0].text)
    assert all(f"{folder}: " in said for folder in REFUSED)
    assert not mark.exists()


def test_the_good_runs_are_on_the_leaderboard(hostile: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(hostile[0], monkeypatch)
    assert set(methods(page)) == GOOD


@pytest.mark.parametrize("tag", ["pickled-run", "bomb", "nan-run"])
def test_a_bad_run_file_that_its_card_describes_is_an_error_in_words(
    hostile: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    rehash(hostile[0] / "semanlink" / tag)
    page = open_page(hostile[0], monkeypatch, "query", rows=["zero-shot", f"{tag} · 100 labels"])
    assert "run\\.trec\\.gz" in page.error[0].value
    assert not hostile[1].exists()
