"""docs/add-a-baseline.md from top to bottom: its commands run, its method keeps its contracts, its sweep file runs."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import UserError
from harness.plugin_checks.method_checks import CONTRACTS
from harness.plugins import plugins
from tests.scaffold.installed import installed

PAGE = (Path(__file__).parents[2] / "docs" / "add-a-baseline.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
FILES = {"python": Path("mine/src/mine.py"), "yaml": Path("mine/config.yaml")}


def test_the_page_is_one_page_and_names_every_contract() -> None:
    assert len(PAGE.splitlines()) < 160
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert rows == [(contract.name, contract.demands) for contract in CONTRACTS]


def harness(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["harness", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, f"harness {shlex.join(arguments)} ended with {ended.value.code}"


def run_block(block: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of a block of the shell; returns those of the harness."""
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]
    for program, *arguments in commands:
        if program == "harness":
            harness(monkeypatch, arguments)
        else:
            # Installing is what `installed` stands for.
            assert [program, *arguments] == ["pip", "install", "-e", "mine"]
    return [" ".join(command[:2]) for command in commands if command[0] == "harness"]


@pytest.mark.models
def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (language, first), *rest = BLOCKS
    assert language == "sh" and run_block(first, monkeypatch) == ["harness new"]
    ran: list[str] = []
    with installed(tmp_path / "mine", "harness.methods", monkeypatch):
        for language, block in rest:
            if language == "sh":
                ran += run_block(block, monkeypatch)
                continue
            FILES[language].write_text(block, encoding="utf-8")
            sys.modules.pop("mine", None)
            plugins.cache_clear()
    assert ran == ["harness show", "harness sweep", "harness check", "harness sweep", "harness board"]
    told = capsys.readouterr().out
    assert "'mine' keeps its contracts" in told and "mine, first=1" in told
    with pytest.raises(UserError, match="no baseline 'mine'"):
        from harness.plugin_checks.run_checks import found

        found("baseline", "mine")
