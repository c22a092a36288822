"""``harness stage``: one stage of a sweep alone, by the beginning of its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.baselines.small import write_collection
from tests.calling import call
from tests.pipeline.isolation import faulty_method

pytestmark = pytest.mark.models

SWEEP = """
collections: [{folder: data}]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
methods: [bm25, {method: faulty, fault: raises}]
evaluate: {metrics: [nDCG@10]}
plugins: [plugged_in_stage.py]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_collection(tmp_path / "data")
    (tmp_path / "plugged_in_stage.py").write_text(Path(faulty_method.__file__).read_text())
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, Any]:
        code = call(monkeypatch, "stage", *arguments, "--sweep", "sweep.yaml", "--json")
        return code, json.loads(capsys.readouterr().out)

    return run


def test_stages_are_listed_and_made_one_by_one(home: Path, stage: Any) -> None:
    code, listed = stage()
    rows = {row["kind"]: row for row in listed["stages"]}
    assert code == 0 and not (home / "workspace/store").exists()
    assert (rows["lexical-index"]["state"], rows["lexical-search"]["state"]) == ("ready", "waiting")
    assert rows["lexical-search"]["inputs"] == [rows["lexical-index"]["key"]]

    code, refused = stage(rows["lexical-search"]["key"])
    assert code == 2 and f"{rows['lexical-index']['key'][:12]} (lexical-index bm25s)" in refused["error"]["what"]

    code, first = stage(rows["lexical-index"]["key"][:10])
    assert (code, first["state"], first["key"]) == (0, "done", rows["lexical-index"]["key"])
    assert (Path(first["folder"]) / "artefact.json").is_file() and first["seconds"] >= 0
    assert stage(rows["lexical-index"]["key"][:10])[1]["state"] == "cached"
    assert [one.parent.name for one in (home / "workspace/store").glob("*/*")] == ["lexical-index"]
    states = {row["kind"]: row["state"] for row in stage()[1]["stages"]}
    assert (states["lexical-index"], states["lexical-search"]) == ("done", "ready")


def test_a_stage_that_fails_says_why(home: Path, stage: Any) -> None:
    key = next(row["key"] for row in stage()[1]["stages"] if row["kind"] == "faulty")
    code, failed = stage(key)
    assert (code, failed["state"], failed["folder"]) == (1, "failed", None)
    assert "LookupError: no such embedding (" in failed["reason"]
    assert "Traceback" in json.loads(Path(failed["traceback"]).read_text())["traceback"]
    assert next(row["state"] for row in stage()[1]["stages"] if row["key"] == key) == "failed"


@pytest.mark.parametrize(("key", "words"), [("xyz", "no stage of the sweep has a key that"), ("", "begin with ''")])
def test_a_key_names_one_stage(key: str, words: str, home: Path, stage: Any) -> None:
    code, refused = stage(key)
    assert code == 2 and words in refused["error"]["what"]
    assert "give more of it" in refused["error"]["remedy"] or "lists the stages" in refused["error"]["remedy"]


def test_people_get_lines(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "stage", "--sweep", "sweep.yaml") == 0
    key = next(line for line in capsys.readouterr().out.splitlines() if "lexical-index bm25s" in line).split()[0]
    assert call(monkeypatch, "stage", key, "--sweep", "sweep.yaml") == 0
    assert capsys.readouterr().out.startswith("lexical-index bm25s: made in ")
