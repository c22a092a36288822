"""What `harness setup` installs: by pip with its own settings, in exact versions, only where something is missing."""

from __future__ import annotations

import json
import stat
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.models import BUNDLED
from harness.scaffold import bundled_parts as module
from harness.scaffold.bundled_parts import bundled_parts, install_command, install_parts
from tests.calling import call


def test_every_bundled_model_is_brought_by_a_part_with_a_hash() -> None:
    parts = bundled_parts()
    assert {name for part in parts for name in part.brings} == {
        *(f"bundled:{name}" for name in BUNDLED),
        "semanlink",
        "semanlink-arxiv",
    }
    assert all(part.hash.startswith("sha256:") and part.version[0].isdigit() for part in parts)


def test_nothing_is_run_where_all_is_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "version", lambda name: {part.distribution: part.version for part in parts}[name])
    parts = bundled_parts()
    assert call(monkeypatch, "setup", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["command"] == [] and [part["before"] for part in report["parts"]] == [part.version for part in parts]


def test_pip_is_asked_for_all_of_them_without_their_dependencies(monkeypatch: pytest.MonkeyPatch) -> None:
    _absent(monkeypatch)
    report = install_parts(print, dry_run=True)
    assert report["command"][:4] == [sys.executable, "-m", "pip", "install"]
    assert {"--no-deps", "--require-hashes"} <= set(report["command"])
    assert Path(report["command"][-1]).read_text().count("--hash=sha256:") == len(report["parts"])
    assert [part["installed"] for part in report["parts"]] == [None] * len(report["parts"])


def test_what_pip_says_is_passed_on_and_a_failure_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _absent(monkeypatch)
    told: list[str] = []
    monkeypatch.setattr(sys, "executable", _tool(tmp_path / "python", "echo ERROR: no matching distribution; exit 1"))
    with pytest.raises(UserError, match="could not be installed, for the reason above") as caught:
        install_parts(told.append)
    assert told == ["ERROR: no matching distribution"] and "PIP_INDEX_URL" in str(caught.value.remedy)


def test_uv_takes_the_place_of_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    uv = _tool(tmp_path / "uv", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_command()[:3] == (uv, "pip", "install")
    Path(uv).unlink()
    with pytest.raises(UserError, match="neither pip nor uv"):
        install_command()


def _absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", version)


def _tool(file: Path, script: str) -> str:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IEXEC)
    return str(file)
