"""Does the built site hold together? Every link, picture and anchor of every page leads somewhere, and no page loads
from another host.

``python docs/generate_check.py FOLDER`` prints what is wrong and exits with 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself; an `a` is followed by people only."""
ADDRESSES = ("canonical", "prev", "next", "alternate")
"""Values of `rel` of a `link` that is fetched by nobody."""


@dataclass
class Page(HTMLParser):
    """Anchors, links and loaded files of one page."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if name := values.get("id") or (values.get("name") if tag == "a" else None):
            self.anchors.add(name)
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if tag in LOADED and values.get(LOADED[tag]) and values.get("rel") not in ADDRESSES:
            self.loaded.append(str(values[LOADED[tag]]))


def faults(site: Path) -> Iterator[str]:
    """What is wrong with the site below that folder, a line each."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site} holds no page"
    for page in pages.values():
        name = page.path.relative_to(site)
        yield from (f"{name} loads from another host: {url}" for url in page.loaded if urlsplit(url).netloc)
        for url in page.links + page.loaded:
            if reason := _broken(url, page, site, pages):
                yield f"{name} links to {url}: {reason}"


def _broken(url: str, page: Page, site: Path, pages: dict[Path, Page]) -> str:
    """Why a link leads nowhere; empty where it does, or where it leaves the site."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return ""
    path = unquote(parts.path)
    target = (
        (site / path.lstrip("/") if path.startswith("/") else page.path.parent / path).resolve()
        if path
        else page.path.resolve()
    )
    target = target / "index.html" if target.is_dir() else target
    if not target.exists():
        return "there is no such file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "there is no such place on that page"
    return ""


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))
