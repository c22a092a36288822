"""The page that follows a sweep: what it says of one that ended, of none, and of one that is killed under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.launch import WORKSPACE
from dashboard.screenshots import served
from harness.pipeline.live.follower import Follower
from harness.pipeline.workspace import Workspace
from tests.dashboard.pages import open_page
from tests.pipeline.slow_sweep import cells, run, started

pytestmark = pytest.mark.slow


def listed(folder: Path) -> list[tuple[str, int]]:
    """Everything below a folder, with its time of writing."""
    return sorted((str(file), file.stat().st_mtime_ns) for file in folder.rglob("*"))


def test_a_sweep_that_ended(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "work", cells(1))
    monkeypatch.setenv(WORKSPACE, str(tmp_path / "work"))
    before = listed(tmp_path / "work")
    page = open_page(folder, monkeypatch, "sweep")
    found = Follower(Workspace(tmp_path / "work").journals[0]).read()
    assert "something failed" in page.warning[0].value
    assert page.metric[0].value == "2 of 3"
    failed, stages, cells_shown = (element.value for element in page.dataframe)
    assert failed["reason"].tolist() == [row.reason for row in found.failures]
    assert stages["stage"].tolist() == [row.kind for row in found.kinds]
    assert stages["done"].tolist() == [row.done for row in found.kinds]
    assert cells_shown["state"].tolist() == [row.state for row in found.cells]
    assert "FAILED broken: RuntimeError: the teacher is out" in page.code[0].value
    assert listed(tmp_path / "work") == before


def test_several_sweeps_of_one_workspace(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, cells(1)[:1])
    run(tmp_path, cells(1))
    monkeypatch.setenv(WORKSPACE, str(tmp_path))
    newest, oldest = Workspace(tmp_path).journals
    page = open_page(folder, monkeypatch, "sweep", sweep=oldest.stem)
    assert page.selectbox(key="sweep").value == oldest.stem
    assert "every stage was made" in page.success[0].value
    page.selectbox(key="sweep").select(newest.stem).run()
    assert "something failed" in page.warning[0].value


def test_no_sweep_yet(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKSPACE, str(tmp_path))
    assert "No sweep has run" in open_page(folder, monkeypatch, "sweep").info[0].value


@pytest.mark.browser
def test_a_sweep_killed_under_the_page(folder: Path, tmp_path: Path, chromium: object) -> None:
    page = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
    with started(tmp_path) as kill, served(folder, tmp_path) as address:
        page.goto(f"{address}/sweep")
        page.get_by_text("Running. Process").wait_for(timeout=60_000)
        page.get_by_role("heading", name="Runs now").wait_for()
        page.locator("[data-testid=stCode]").get_by_text("FAILED broken: RuntimeError: the teacher is out").wait_for()
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        kill()
        # The page says so within 10 s; that is what it promises.
        page.get_by_text("Died: its process is gone").wait_for(timeout=10_000)
        assert page.locator("[data-testid=stException]").count() == 0
    page.context.close()
