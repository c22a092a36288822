"""Pictures of every page for the documentation: ``python -m dashboard.screenshots RESULTS docs/images``, with a browser
at hand."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from dashboard.app_pages import OF_RESULTS
from dashboard.launch import APP, command, environment
from dashboard.server import is_answering
from harness.errors import UserError
from harness.leaderboard.board import load_board
from harness.leaderboard.row_texts import titles
from harness.ports import free_port

_SOMETHING = "[data-testid=stDataFrame], [data-testid=stVegaLiteChart], [data-testid=stTable]"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def served(results: Path, workspace: Path | None = None, app: Path = APP) -> Iterator[str]:
    """The dashboard (or another `app`) of `results` and `workspace` at the address given, until the end of the block.

    Raises UserError when it does not come up.
    """
    port = free_port()
    server = subprocess.Popen(
        command(port, app), env=environment(results, workspace), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://localhost:{port}"
    try:
        _wait(server, f"{address}/_stcore/health")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(server: subprocess.Popen[bytes], health: str) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        if is_answering(health):
            return
        time.sleep(0.25)
    raise UserError("the dashboard did not come up", remedy="start it with: harness dashboard")


def addresses(results: Path) -> dict[str, str]:
    """The path of each page of published runs, with choices that show something."""
    names = list(titles(load_board(results).tables[0]))[:3]
    paths = {page: f"{page}?{urlencode({'rows': names}, doseq=True)}" for page in ("compare", "query")}
    return {page: "" if page == "leaderboard" else paths.get(page, page) for page in OF_RESULTS}


def main() -> int:
    """Take the pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Take pictures of the dashboard.")
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--workspace", type=Path, help="A workspace in which a sweep ran, for the page that follows one."
    )
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    paths = addresses(asked.results) | ({"sweep": "sweep"} if asked.workspace else {})
    with served(asked.results, asked.workspace) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme).new_page()
            for name, path in paths.items():
                page.goto(f"{address}/{path}")
                page.wait_for_selector(_SOMETHING, timeout=60_000)
                page.wait_for_timeout(2_000)
                page.screenshot(path=asked.out / f"dashboard-{name}-{scheme}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
