"""``harness reproduce``: a published run made again, by the command that its card says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.published.result_folder import read_card
from tests.baselines.small import write_collection
from tests.calling import call


@pytest.fixture(autouse=True)
def _swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write_collection(tmp_path / "data")
    Path("sweep.yaml").write_text("collections: [beir/none]\nmethods: [bm25]\nevaluate: {metrics: [RR@10]}\n")
    folder = f"collections=[{{folder: {tmp_path}/data}}]"
    assert call(monkeypatch, "sweep", "sweep.yaml", "--set", folder, "--set", "evaluate.depth=5", "--json") == 0
    capsys.readouterr()


def test_the_command_on_a_card_is_whole_and_names_no_folder_of_the_machine() -> None:
    (folder,) = Path("results").glob("*/*")
    typed = read_card(folder).implementation["executable"]["cmd"]
    assert typed == "harness sweep sweep.yaml --set 'collections=[{folder: data}]' --set evaluate.depth=5"


def test_a_run_is_made_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = Path("results").glob("*/*")
    assert call(monkeypatch, "reproduce", str(folder), "--workspace", "new", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert (row["folder"], row["verdict"], row["same_keys"], row["cached"]) == (str(folder), "same run", True, False)


def test_one_that_cannot_be_made_does_not_keep_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder,) = Path("results").glob("*/*")
    assert call(monkeypatch, "reproduce", "data", str(folder)) == 1
    told = capsys.readouterr().out
    assert "failed" in told and "same run" in told and "nothing was computed" in told
