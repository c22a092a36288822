"""The plan prices what methods ask a teacher beside its order."""

from __future__ import annotations

from pathlib import Path

from harness.pipeline.workspace import Workspace
from tests.baselines.small import sweep_file, write_collection


def _planned(home: Path, model: Path, methods: list[object]) -> dict[str, int]:
    llm = Workspace(home / "workspace").plan(sweep_file(home, model, methods)).report()["llm"]
    assert llm["calls"] == sum(teacher["calls"] for teacher in llm["teachers"])
    return {teacher["name"]: teacher["calls"] for teacher in llm["teachers"]}


def test_a_plan_counts_the_calls_of_teachers_that_a_method_derives(lm: Path, tmp_path: Path) -> None:
    write_collection(tmp_path / "data")
    order = _planned(tmp_path, lm, ["direct"])
    assert order["tiny"] > 0 and not _planned(tmp_path, lm, ["zero-shot"])
    for methods in (["replug-lsr"], ["adist"], ["art"]):
        assert _planned(tmp_path, lm, methods)["tiny"] > 0
    both = _planned(tmp_path, lm, ["direct", "replug-lsr"])
    assert both["tiny"] == order["tiny"] + _planned(tmp_path, lm, ["replug-lsr"])["tiny"]
