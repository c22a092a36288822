"""Opening pages without a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.frame import TALLER
from dashboard.launch import RESULTS, command


def open_page(
    results: Path, monkeypatch: pytest.MonkeyPatch, view: str = "leaderboard", **address: str | list[str]
) -> AppTest:
    """The page `view` of the dashboard of `results`, as the given address opens it; it must not fail."""
    monkeypatch.setenv(RESULTS, str(results))
    page = AppTest.from_file(command(1)[4], default_timeout=60)
    page.query_params.update(address)
    if view == "leaderboard":
        page.run()
    else:
        page.switch_page(f"views/{view}.py").run()
    assert not page.exception
    return page


def methods(page: AppTest) -> list[str]:
    """The methods of the first table, without what stands behind their names."""
    return [re.split(r" \(| · ", text)[0] for text in page.dataframe[0].value["method"]]


FRAME = "[data-testid=stDataFrame]"


def tick(page: Any, *rows: int) -> None:
    """Tick rows of the first table of a page in a browser, counted from 1."""
    table = page.locator(FRAME).first
    table.wait_for()
    page.wait_for_timeout(1_000)
    for row in rows:
        table.click(position={"x": 18, "y": 35 + TALLER * row - TALLER // 2})
