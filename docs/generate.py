"""The pages of the docs site: those written by hand, and the reference made from the classes and commands themselves.

``python docs/generate.py FOLDER`` writes all of them; `make docs` builds the site from that folder. Nothing of it is
committed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from generate_catalogue import PAGES, catalogue_page
from generate_commands import command_page

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FROM_ROOT = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "SECURITY.md": "security.md",
}
"""Files of the repository's root that are pages too."""
BOARD = "<!-- board -->"
"""Where the first page leads to the board, which `make docs` exports beside the pages."""


def generate(folder: Path) -> None:
    """Write every page below `folder`, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, page in FROM_ROOT.items():
        (folder / page).write_text(_linked(ROOT / name), encoding="utf-8")
    home = folder / "index.md"
    link = "**[The board of the committed results](board/index.html)**: how many labels, which teacher, at what cost."
    home.write_text(home.read_text(encoding="utf-8").replace(BOARD, link), encoding="utf-8")
    reference = folder / "reference"
    reference.mkdir()
    for kind in PAGES:
        (reference / f"{kind}.md").write_text(catalogue_page(kind), encoding="utf-8")
    (reference / "commands.md").write_text(command_page(), encoding="utf-8")


def _linked(file: Path) -> str:
    """A file of the root as a page, its links to other pages as they stand in the site."""
    text = file.read_text(encoding="utf-8").replace("](docs/", "](")
    for name, page in FROM_ROOT.items():
        text = text.replace(f"]({name}", f"]({page}")
    return text


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
