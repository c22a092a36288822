"""A workspace is a folder that is made by writing to it; a plan is a sweep in it, and one method needs no sweep
file."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.errors import UserErrors
from harness.ledger.calls import Call, call_key
from harness.pipeline.live.observer import NullObserver
from harness.published.result_folder import read_card
from tests.baselines.small import write_collection
from tests.pipeline.toys import Number


def write_sweep(home: Path, methods: str = "[bm25]") -> Path:
    write_collection(home / "data")
    (home / "sweep.yaml").write_text(
        f"collections: [{{folder: data}}]\nmethods: {methods}\nevaluate: {{metrics: [RR@10]}}\n"
    )
    return home / "sweep.yaml"


def test_looking_at_a_workspace_makes_nothing(tmp_path: Path) -> None:
    workspace = harness.Workspace(str(tmp_path / "w"))
    assert (workspace.journals, workspace.store.past_seconds(), workspace.failures.reason(Number(1))) == ([], {}, None)
    assert not workspace.path.exists()


def test_a_block_closes_the_ledger_which_opens_again(tmp_path: Path) -> None:
    asked = Call(call_key("gpt", "q"), "gpt", "{}", "[1]")
    with harness.Workspace(tmp_path) as workspace:
        workspace.ledger.put(asked)
    assert list(workspace.ledger.calls()) == list(harness.Workspace(tmp_path).ledger.calls()) != []


def test_a_store_that_is_opened_later_sees_what_went(tmp_path: Path) -> None:
    plan = harness.Workspace(tmp_path / "w").plan(write_sweep(tmp_path))
    stages = len(plan.stages)
    assert list(plan.waiting) == list(plan.stages)
    plan.run(tmp_path / "results", observer=NullObserver())
    assert plan.waiting == {} and plan.report()["stages"]["cached"] == stages
    plan.workspace.store.discard(plan.finals[0])
    assert list(plan.waiting) == [plan.finals[0].key]
    assert plan.run(tmp_path / "results", observer=NullObserver()).summary["stages"] == {
        "run": 1,
        "cached": stages - 1,
        "failed": 0,
    }


def test_one_method_is_the_same_run_as_in_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = harness.Workspace(tmp_path / "w")
    swept = workspace.plan(write_sweep(tmp_path)).run(tmp_path / "results", observer=NullObserver())
    monkeypatch.chdir(tmp_path)
    single = harness.run_method(
        "bm25",
        collection={"folder": str(tmp_path / "data")},
        evaluate={"metrics": ["RR@10"]},
        workspace=tmp_path / "w",
        results="single",
        observer=NullObserver(),
    )
    assert single.summary["stages"]["run"] == 0
    assert [folder.name for folder in single.published] == [folder.name for folder in swept.published]
    command = read_card(single.published[0]).implementation["executable"]["cmd"]
    assert (
        command.startswith("harness.run_method('bm25', collection={'folder': 'data'}") and str(tmp_path) not in command
    )


def test_what_is_wrong_with_one_method_is_all_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserErrors) as refused:
        harness.run_method({"method": "bm25", "k7": 1}, collection="nowhere", seed=-1, workspace=tmp_path)
    assert {(error.file, error.key) for error in refused.value.errors} == {
        ("run_method", key) for key in ("collections.0", "methods.0.k7", "seeds.0")
    }
