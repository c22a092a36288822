"""The Leaderboard page in a browser: ``python -m benchmarks.board_speed FOLDER`` on a folder of `benchmarks.make_results`.

A view is there when its table is drawn and the server has nothing left to do; a filter, when the table says how many rows it hides now.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

FILTERS = (("teacher", "small"), ("loss", "ranknet"), ("budget", "300"), ("teacher", "medium"), ("budget", "1,000"))
"""Chosen one after another: facets of the sidebar, and values that `make_results` gives them."""
_TITLE = "(document.querySelector('[data-testid=stMain] h3')?.innerText ?? '')"
_DONE = "document.querySelector('[data-test-script-state=notRunning]') !== null"
_DRAWN = f"() => {_DONE} && document.querySelector('[data-testid=stDataFrame] canvas') !== null && {_TITLE} !== ''"
_OTHER = f"before => {_DONE} && {_TITLE} !== before"


class Took(NamedTuple):
    """Seconds on the clock, and of processor in the server and the browser together: all there is to wait for on an idle machine."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Speed:
    """What a reader waits for, the fastest of several; MB are the server's peak of resident memory."""

    new: Took
    """First view of a server that has just come up, with what an earlier one kept."""
    view: Took
    """First view of another reader."""
    filter: Took
    server_mb: float


def measure(results: Path, cache: Path, views: int = 3) -> Speed:
    """Open and filter the Leaderboard page of `results`, which an earlier server has read; what it keeps goes to `cache`."""
    from playwright.sync_api import sync_playwright

    from dashboard.screenshots import browser, served

    os.environ["HARNESS_CACHE"] = str(cache)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        with served(results) as address:
            _view(chromium, address)
        with served(results) as address:
            new = _view(chromium, address)
            seen = [_view(chromium, address) for _ in range(views)]
            with _reader(chromium, address) as page:
                filters = _filtered(page)
        # The browser has not been waited for yet: the server is the largest child.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        chromium.close()
    return Speed(new, _least(seen), _least(filters), peak)


def _least(found: list[Took]) -> Took:
    return Took(*map(min, zip(*found, strict=True)))


@contextmanager
def _reader(chromium: Any, address: str) -> Iterator[Any]:
    """The page, drawn for a reader who was never there."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address, wait_until="commit")
    page.wait_for_function(_DRAWN)
    yield page
    # A server waits for its readers before it ends.
    context.close()


def _view(chromium: Any, address: str) -> Took:
    begun = _clocks()
    with _reader(chromium, address):
        return _since(begun)


def _filtered(page: Any) -> list[Took]:
    found = []
    for facet, value in FILTERS:
        before = page.evaluate(_TITLE)
        page.locator(f".st-key-{facet} input").click()
        option = page.get_by_role("option", name=value, exact=True)
        option.wait_for()

        begun = _clocks()
        option.click()
        page.wait_for_function(_OTHER, arg=before)
        found.append(_since(begun))
        # A list that is still open would swallow the next click.
        page.locator("h1").click()
        option.wait_for(state="detached")
    return found


def _since(begun: Took) -> Took:
    return Took(*(now - then for now, then in zip(_clocks(), begun, strict=True)))


def _clocks() -> Took:
    """Now, on the clock and in processor time of all processes that this one started."""
    import psutil

    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            spent = process.cpu_times()
            seconds += spent.user + spent.system
    return Took(time.perf_counter(), seconds)


def main() -> None:
    """Print what `measure` finds, and the load that the machine was under."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="a folder for what the server keeps")
    asked = parser.parse_args()
    found = measure(asked.folder, asked.cache)
    for name, took in (("new server", found.new), ("first view", found.view), ("filter", found.filter)):
        print(f"{name:11} {took.seconds:6.2f} s, {took.processor:5.2f} s of processor")
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"server      {found.server_mb:6.0f} MB at most; load of the machine {load} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
