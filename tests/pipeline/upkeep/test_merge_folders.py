"""Two machines' workspaces and results become one; and a workspace may be moved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.leaderboard.board import load_board
from harness.ledger.calls import Call, call_key
from harness.pipeline.upkeep.merge_folders import merge_folders
from harness.progress import silent
from tests.leaderboard.runs import make_card, make_run, put
from tests.pipeline.upkeep.conftest import Finished

pytestmark = pytest.mark.models


def test_a_merged_workspace_runs_nothing_and_has_the_same_board(finished: Finished, tmp_path: Path) -> None:
    here = Finished(tmp_path / "here")
    here.home.mkdir()
    shutil.copytree(finished.home / "data", here.home / "data")
    shutil.copy(finished.home / "sweep.yaml", here.home)
    folders = [finished.home / "workspace", finished.results]
    with finished.workspace as workspace:
        workspace.ledger.put(Call(call_key("gpt", "q"), "gpt", "{}", "[1]", usd=0.5))

    first = merge_folders(folders, here.workspace, here.results, silent)["merged"]
    assert (first[0]["kind"], first[1]["kind"]) == ("workspace", "results")
    assert first[0]["artefacts"]["added"] == len(list(finished.workspace.store.folders()))
    assert (first[0]["ledger"]["added"], first[0]["ledger"]["usd"]) == (1, 0.5)
    assert first[0]["journals"]["added"] == 1 and first[1]["runs"]["added"] == 6
    assert here.run().summary["stages"]["run"] == 0
    assert load_board(here.results).as_json()["rows"] == load_board(finished.results).as_json()["rows"]

    again = merge_folders(folders, here.workspace, here.results, silent)["merged"]
    assert again[0]["artefacts"]["added"] == again[0]["ledger"]["added"] == again[1]["runs"]["added"] == 0
    assert again[0]["artefacts"]["differ"] == again[1]["runs"]["differ"] == 0


def test_other_bytes_under_an_equal_key_are_told_and_what_is_here_stays(finished: Finished, tmp_path: Path) -> None:
    other = Finished(Path(shutil.copytree(finished.home, tmp_path / "other")))
    folder = next(iter((other.workspace.store.root / "evaluate").glob("[0-9a-f]*")))
    manifest = json.loads((folder / "artefact.json").read_text())
    manifest["files"]["metrics.parquet"]["sha256"] = "0" * 64
    (folder / "artefact.json").write_text(json.dumps(manifest))
    run = next(other.results.glob("*/*/run.trec.gz"))
    run.write_bytes(b"other")
    before = finished.hashes("evaluate")

    folders = [other.home / "workspace", other.results]
    workspace, results = merge_folders(folders, finished.workspace, finished.results, silent)["merged"]
    assert workspace["artefacts"]["differ"] == 1
    assert workspace["artefacts"]["named"] == [f"evaluate {folder.name[:12]}: metrics.parquet"]
    assert results["runs"]["named"] == [f"{run.parent.parent.name}/{run.parent.name}"]
    assert finished.hashes("evaluate") == before


def test_a_damaged_artefact_is_left_out(finished: Finished, tmp_path: Path) -> None:
    folder = next((finished.workspace.store.root / "retriever").glob("[0-9a-f]*"))
    (folder / "model.safetensors").write_bytes(b"half")
    here = harness.Workspace(tmp_path / "here")
    (report,) = merge_folders([finished.home / "workspace"], here, tmp_path / "results", silent)["merged"]
    assert report["artefacts"]["damaged"] == 1 and folder.name[:12] in report["artefacts"]["named"][0]
    assert not (here.store.root / "retriever" / folder.name).exists()


def test_a_folder_that_is_neither_is_refused_before_anything_is_written(finished: Finished, tmp_path: Path) -> None:
    here = harness.Workspace(tmp_path / "here")
    with pytest.raises(harness.UserError, match="neither a workspace nor a folder of results"):
        merge_folders([finished.home / "workspace", tmp_path], here, tmp_path / "results", silent)
    assert not here.path.exists()
    with pytest.raises(harness.UserError, match="cannot be merged into itself"):
        merge_folders([finished.home / "workspace"], finished.workspace, finished.results, silent)


def test_a_workspace_may_be_moved(finished: Finished, tmp_path: Path) -> None:
    moved = Path(shutil.move(finished.home / "workspace", tmp_path / "moved"))
    plan = harness.Workspace(moved).plan(finished.home / "sweep.yaml")
    assert not plan.waiting
    assert plan.run(finished.results).summary["stages"]["run"] == 0


def test_the_commands_print_one_document(finished: Finished, tmp_path: Path) -> None:
    def harness_json(*words: str) -> dict[str, object]:
        command = [sys.executable, "-m", "harness", *words, "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    report = harness_json("merge", str(finished.home / "workspace"), str(finished.results))
    assert len(report["merged"]) == 2  # type: ignore[arg-type]
    assert harness_json("gc", "--dry-run")["removed"] is False
    assert harness_json("gc")["removed"] is True


def test_runs_of_claims_and_published_labels_come_over_too(tmp_path: Path) -> None:
    other, here = tmp_path / "other", tmp_path / "results"
    put(other / "claims", make_card("a"), make_run(0.5))
    (other / "labels" / "semanlink").mkdir(parents=True)
    (other / "labels" / "semanlink" / "gpt.card.yaml").write_text("card")
    workspace = harness.Workspace(tmp_path / "workspace")
    (first,) = merge_folders([other], workspace, here, silent)["merged"]
    (again,) = merge_folders([other], workspace, here, silent)["merged"]
    assert (first["runs"]["added"], first["label_sets"]["added"]) == (1, 1)
    assert (again["runs"]["same"], again["label_sets"]["same"]) == (1, 1)
    assert len(load_board(here / "claims").tables) == 1
    assert (here / "labels" / "semanlink" / "gpt.card.yaml").read_text() == "card"
    (here / "labels" / "semanlink" / "gpt.card.yaml").write_text("mine")
    (differing,) = merge_folders([other], workspace, here, silent)["merged"]
    assert differing["label_sets"]["named"] == ["semanlink/gpt.card.yaml"]
