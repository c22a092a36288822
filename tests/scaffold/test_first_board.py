"""docs/tutorial.md from top to bottom: its sweep file runs, its commands end well, and its method is on the board."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.scaffold.installed import installed
from tests.scaffold.test_tutorial import harness

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [shlex.split(line) for language, block in BLOCKS if language == "sh" for line in block.splitlines()]


@pytest.mark.models
def test_every_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (sweep,) = [block for language, block in BLOCKS if language == "yaml"]
    Path("first.yaml").write_text(sweep, encoding="utf-8")
    new = next(place for place, command in enumerate(COMMANDS) if command[:2] == ["harness", "new"])
    # Installing is what `installed` stands for, and tests/plugin_checks does what `harness check` does.
    later = [
        command for command in COMMANDS[new + 1 :] if command[:2] not in (["pip", "install"], ["harness", "check"])
    ]
    for command in COMMANDS[: new + 1]:
        harness(monkeypatch, command[1:])
    assert "57 of 57 distinct stages to run" in capsys.readouterr().out
    with installed(tmp_path / "mine", "harness.methods", monkeypatch):
        for command in later:
            harness(monkeypatch, [str(path) for word in command[1:] for path in sorted(Path().glob(word)) or [word]])
    assert list(Path("results/semanlink-arxiv").glob("mine-judge-*"))
    assert Path("report.html").exists()
