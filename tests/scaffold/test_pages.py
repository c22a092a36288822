"""What docs/teachers.md, docs/add-a-loss.md and docs/add-a-student.md say of plug-ins of one's own: their commands run,
their classes keep their contracts."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from harness.plugins import plugins
from harness.scaffold.package import KINDS
from tests.scaffold.installed import installed
from tests.scaffold.test_tutorial import harness

DOCS = Path(__file__).parents[2] / "docs"


def blocks(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def code_lines(block: str) -> int:
    """Lines of settings and class."""
    return sum(bool(line.strip()) for line in block[block.index("class ") :].splitlines())


PAGES = {
    "teacher": ("words", (DOCS / "teachers.md").read_text(encoding="utf-8").partition("## A teacher of your own")[2]),
    "student": ("first", (DOCS / "add-a-student.md").read_text(encoding="utf-8").partition("## What it says")[0]),
    "loss": ("lead", (DOCS / "add-a-loss.md").read_text(encoding="utf-8").partition("## In-batch negatives")[0]),
}


def test_a_teacher_takes_twelve_lines() -> None:
    [class_block] = [block for language, block in blocks(PAGES["teacher"][1]) if language == "python"]
    assert code_lines(class_block) <= 12


@pytest.mark.parametrize("kind", PAGES)
def test_every_block_runs(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name, page = PAGES[kind]
    (_, first), (language, text), (_, last) = blocks(page)
    new, install = map(shlex.split, first.splitlines())
    assert new[:3] == ["harness", "new", kind] and install == ["pip", "install", "-e", name] and language == "python"
    harness(monkeypatch, new[1:])
    with installed(tmp_path / name, KINDS[kind].group, monkeypatch):
        Path(name, "src", f"{name}.py").write_text(text, encoding="utf-8")
        sys.modules.pop(name, None)
        plugins.cache_clear()
        harness(monkeypatch, shlex.split(last)[1:])
    assert f"'{name}' keeps its contracts" in capsys.readouterr().out


def test_the_page_on_losses_says_what_every_part_of_a_target_is() -> None:
    from dataclasses import fields

    from harness.losses.loss import Target

    page = (DOCS / "add-a-loss.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| \(B", page, flags=re.MULTILINE) == [field.name for field in fields(Target)]
