"""New packages: what is written, what is refused, and that what is written is clean and keeps its contracts."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import UserError
from harness.plugin_checks.run_checks import CHECKS, check
from harness.scaffold.package import KINDS, write_package
from tests.scaffold.installed import installed

pytestmark = pytest.mark.slow

FILES = ["README.md", "config.yaml", "pyproject.toml", "src/fresh.py", "tests/test_fresh.py"]


def test_every_kind_that_can_be_written_can_be_checked() -> None:
    assert set(KINDS) == set(CHECKS)


@pytest.mark.parametrize("kind", KINDS)
def test_five_files_are_written_and_the_entry_point_is_right(kind: str, tmp_path: Path) -> None:
    place = write_package(kind, "fresh", tmp_path / "new")
    assert sorted(str(file.relative_to(place)) for file in place.rglob("*") if file.is_file()) == FILES
    project = tomllib.loads((place / "pyproject.toml").read_text())
    assert project["project"]["entry-points"] == {KINDS[kind].group: {"fresh": "fresh"}}
    assert project["tool"]["setuptools"] == {"package-dir": {"": "src"}, "py-modules": ["fresh"]}
    assert "${" not in "".join((place / file).read_text() for file in FILES)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_clean(kind: str, tmp_path: Path) -> None:
    place = write_package(kind, "fresh", tmp_path)
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--select=E,F,I,B,UP,SIM,N"], ["format", "--check"]):
        told = subprocess.run(
            [*ruff, *command, "--isolated", "--line-length=140"], cwd=place, capture_output=True, text=True
        )
        assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("kind", ["teacher", "loss", "student", "collection"])
def test_what_is_written_keeps_its_contracts(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write_package(kind, f"fresh_{kind}", tmp_path)
    with installed(place, KINDS[kind].group, monkeypatch) as plugin:
        report = check(kind, plugin(CHECKS[kind].plugin))
    assert report.ok and report.name == f"fresh_{kind}", str(report)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my-idea", "for example: my_idea"),
        ("2fast", "for example: my_2fast"),
        ("Mine", "for example: mine"),
        ("_hidden", "for example: hidden"),
        ("", "for example: my"),
        ("../up", "for example: up"),
        ("lambda", "a word of Python"),
        ("json", "a module already"),
        ("torch", "a module already"),
    ],
)
def test_wrong_names_are_refused_with_a_right_one(kind: str, name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        write_package(kind, name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "name"),
    [("baseline", "direct"), ("teacher", "oracle"), ("loss", "hinge"), ("student", "splade"), ("collection", "beir")],
)
def test_a_name_that_is_taken_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"my_{name}"):
        write_package(kind, name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="is there already; nothing was written"):
        write_package("loss", "fresh", tmp_path)
    assert [file.name for file in (tmp_path / "fresh").iterdir()] == ["mine.txt"]


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["harness", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_line_says_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, "new", "loss", "fresh", "--dir", str(tmp_path)) == 0
    assert f"pip install -e {tmp_path / 'fresh'}" in capsys.readouterr().err
    assert _call(monkeypatch, "new", "loss", "fresh", "--dir", str(tmp_path)) == 2


def test_check_exits_with_2_for_unknown_names_and_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, "check", "loss", "listmel") == 2
    assert "did you mean 'listmle'" in capsys.readouterr().err
    assert _call(monkeypatch, "check", "teacher", "recorded") == 2
    assert "--set file=VALUE" in capsys.readouterr().err
    assert _call(monkeypatch, "check", "loss", "listmle", "--set", "temperature=2", "--json") == 0
    assert '"ok": true' in capsys.readouterr().out
