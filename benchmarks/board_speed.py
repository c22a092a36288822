"""The Leaderboard page in a browser: ``python -m benchmarks.board_speed FOLDER`` on a folder of
`benchmarks.make_results`.

Beside it, a page of Streamlit's with one filter and three rows: what any page costs on this machine. A view is there
when its table is drawn and the server has nothing left to do; a filter, when the table says how many rows it hides now.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dashboard.launch import APP

FILTERS = (("teacher", "small"), ("loss", "ranknet"), ("budget", "300"), ("teacher", "medium"), ("budget", "1,000"))
"""Chosen one after another: facets of the sidebar, and values that `make_results` gives them."""
_PLAIN = """import streamlit as st

st.title("plain")
chosen = st.sidebar.multiselect("teacher", ["small", "medium"], key="teacher")
st.subheader(f"rows of {chosen}")
st.dataframe({"teacher": ["small", "medium", "large"]})
"""
_TITLE = "(document.querySelector('[data-testid=stMain] h3')?.innerText ?? '')"
_DONE = "document.querySelector('[data-test-script-state=notRunning]') !== null"
_DRAWN = f"() => {_DONE} && document.querySelector('[data-testid=stDataFrame] canvas') !== null && {_TITLE} !== ''"
_OTHER = f"before => {_DONE} && {_TITLE} !== before"


class Took(NamedTuple):
    """Seconds on the clock, and of processor in the server and the browser together: all there is to wait for on an
    idle machine."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Speed:
    """What a reader waits for, the fastest of several; MB are the server's peak of resident memory."""

    new: Took
    """First view of a server that has just come up, with what an earlier one kept."""
    view: Took
    """First view of another reader, whose browser was never there."""
    again: Took
    """A view in a browser that was there before."""
    filter: Took
    server_mb: float


def measure(
    results: Path, cache: Path, app: Path = APP, filters: tuple[tuple[str, str], ...] = FILTERS, views: int = 3
) -> Speed:
    """Open and filter the first page of `app` on `results`, which an earlier server has read; what it keeps goes to
    `cache`."""
    from playwright.sync_api import sync_playwright

    from dashboard.screenshots import browser, served

    os.environ["HARNESS_CACHE"] = str(cache)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        with served(results, app=app) as address:
            _view(chromium, address)
        with served(results, app=app) as address:
            new = _view(chromium, address)
            seen = [_view(chromium, address) for _ in range(views)]
            again = _again(chromium, address, views)
            with _reader(chromium, address) as page:
                filtered = _filtered(page, filters)
        # The browser has not been waited for yet: the server is the largest child.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        chromium.close()
    return Speed(new, _least(seen), _least(again), _least(filtered), peak)


def _least(found: list[Took]) -> Took:
    return Took(*map(min, zip(*found, strict=True)))


@contextmanager
def _reader(chromium: Any, address: str) -> Iterator[Any]:
    """The page, drawn for a reader who was never there."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    yield _opened(context, address)
    # A server waits for its readers before it ends.
    context.close()


def _opened(context: Any, address: str) -> Any:
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address, wait_until="commit")
    page.wait_for_function(_DRAWN)
    return page


def _view(chromium: Any, address: str) -> Took:
    begun = _clocks()
    with _reader(chromium, address):
        return _since(begun)


def _again(chromium: Any, address: str, views: int) -> list[Took]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    found = []
    # The second view still compiles what the first one fetched.
    for _ in range(2 + views):
        begun = _clocks()
        page = _opened(context, address)
        found.append(_since(begun))
        page.close()
    context.close()
    return found[2:]


def _filtered(page: Any, filters: tuple[tuple[str, str], ...]) -> list[Took]:
    found = []
    for facet, value in filters:
        before = page.evaluate(_TITLE)
        page.locator(f".st-key-{facet} input").fill(value)
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
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.py"
        plain.write_text(_PLAIN)
        least = measure(asked.folder, asked.cache, plain, FILTERS[:1])
    found = measure(asked.folder, asked.cache)
    for name in ("new", "view", "again", "filter"):
        ours, theirs = getattr(found, name), getattr(least, name)
        print(f"{name:6} {_told(ours)}; plain page {_told(theirs)}")
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"server {found.server_mb:.0f} MB at most; load of the machine {load} on {os.cpu_count()} processors")


def _told(took: Took) -> str:
    return f"{took.seconds:5.2f} s, {took.processor:5.2f} s of processor"


if __name__ == "__main__":
    main()
