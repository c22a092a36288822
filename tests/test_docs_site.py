"""The pages of the docs site are made from what is there, and a site that does not hold together is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from harness import __version__
from harness.catalogue import kinds

ROOT = Path(__file__).parents[1]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "docs" / script), str(folder)], capture_output=True, text=True, cwd=ROOT
    )


def pages(nav: object) -> set[str]:
    if isinstance(nav, str):
        return {nav}
    return set().union(*map(pages, nav.values() if isinstance(nav, dict) else nav))  # type: ignore[attr-defined]


@pytest.mark.slow
def test_every_page_is_in_the_navigation_and_every_plug_in_on_its_page(tmp_path: Path) -> None:
    done = run("generate.py", tmp_path / "docs")
    assert done.returncode == 0, done.stderr
    written = {str(path.relative_to(tmp_path / "docs")) for path in (tmp_path / "docs").rglob("*.md")}
    assert written == pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    listed = [*kinds(), "metrics", "prompts"]
    # In a process of its own: other tests of this one may have loaded plug-ins.
    script = "import json, sys; from harness.catalogue import catalogue as of; "
    script += "print(json.dumps({kind: of(kind) for kind in sys.argv[1:]}))"
    rows = json.loads(subprocess.check_output([sys.executable, "-c", script, *listed], text=True, cwd=ROOT))
    for kind in listed:
        page = (tmp_path / "docs" / "reference" / f"{kind}.md").read_text(encoding="utf-8")
        assert [row["name"] for row in rows[kind] if f"\n## `{row['name']}` {{#" not in page] == []
    commands = (tmp_path / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert "\n## `harness labels import` {#" in commands and "`--max-cost USD`" in commands


def test_one_version_is_said_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(
        r"^## (?!Unreleased)(\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert newest and {project["version"], citation["version"], newest[1]} == {__version__}


def test_no_package_holds_another_to_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    assert [line for line in ranges if "==" in line or "<" in line] == []


GOOD = (
    '<h1 id="top">A</h1><a href="b.html#there">b</a><a href="https://arxiv.org/abs/2406.12169">paper</a><img '
    'src="i.png">'
)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (GOOD, ""),
        ('<a href="c.html">', "a.html links to c.html: there is no such file"),
        ('<a href="b.html#gone">', "a.html links to b.html#gone: there is no such place on that page"),
        ('<a href="#gone">', "a.html links to #gone: there is no such place on that page"),
        ('<img src="j.png">', "a.html links to j.png: there is no such file"),
        (
            '<script src="https://elsewhere.example/x.js"></script>',
            "a.html loads from another host: https://elsewhere.example/x.js",
        ),
        (
            '<link rel="stylesheet" href="//elsewhere.example/x.css">',
            "a.html loads from another host: //elsewhere.example/x.css",
        ),
    ],
)
def test_a_site_holds_together_or_is_refused(tmp_path: Path, body: str, fault: str) -> None:
    (tmp_path / "a.html").write_text(body, encoding="utf-8")
    (tmp_path / "b.html").write_text('<h2 id="there">B</h2>', encoding="utf-8")
    (tmp_path / "i.png").touch()
    done = run("generate_check.py", tmp_path)
    assert (done.returncode, done.stderr.strip()) == (int(bool(fault)), fault)
