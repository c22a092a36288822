"""A sweep file picks the type of student: plans, keys, runs and cards follow."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import UserErrors
from harness.pipeline.graph import closure
from harness.pipeline.workspace import Workspace
from harness.plugins import Settings
from harness.retrieval.student_type import StudentType, student_type_of
from harness.scaffold.package import write_package
from tests.baselines.small import write_collection
from tests.scaffold.installed import installed

pytestmark = pytest.mark.models

LATE = {"type": "late-interaction", "model": "bundled:bert-tiny"}
DIRECT = {"method": "direct", "epochs": 1}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_collection(tmp_path / "data")
    return tmp_path


def write_sweep(home: Path, retriever: Any, methods: list[Any]) -> Path:
    file = home / "sweep.yaml"
    sweep = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": retriever, "ranker": "bundled:bert-tiny"},
        "candidates": {"engine": "bm25s", "depth": 4, "training_queries": ["train"]},
        "teachers": {"judge": {"kind": "simulated", "noise": 0.1}},
        "methods": methods,
        "budgets": [6],
        "max_length": 32,
        "evaluate": {"metrics": ["nDCG@10"]},
    }
    file.write_text(yaml.safe_dump(sweep), encoding="utf-8")
    return file


def stage_keys(home: Path, retriever: Any, methods: list[Any]) -> dict[str, str]:
    """Kind by key of all stages."""
    plan = Workspace(home / "workspace").plan(write_sweep(home, retriever, methods))
    return {stage.key: stage.kind for stage in closure(cell.evaluate for cell in plan.cells).values()}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("bundled:bert-tiny", {"type": "bi-encoder", "model": "bundled:bert-tiny"}),
        ({"static": "bundled:bert-tiny"}, {"type": "static", "model": "bundled:bert-tiny"}),
    ],
)
def test_the_short_forms_are_types_with_the_same_keys(short: Any, long: Any, home: Path) -> None:
    methods = ["zero-shot", DIRECT, "fusion"]
    assert stage_keys(home, short, methods) == stage_keys(home, long, methods)


def test_a_late_interaction_student_goes_through_a_sweep(home: Path) -> None:
    methods = [
        "zero-shot",
        DIRECT,
        {"method": "direct", "epochs": 1, "lora": {"rank": 2}},
        "fusion",
        "supervised-mined",
    ]
    kinds = set(stage_keys(home, LATE, methods).values())
    assert {"student-start", "student", "student-index", "student-search"} <= kinds
    assert not {"retriever", "embed", "dense-search"} & kinds
    result = Workspace(home / "workspace").plan(home / "sweep.yaml").run(results=home / "results")
    assert len(result.published) == 5
    cards = [yaml.safe_load((folder / "card.yaml").read_text()) for folder in result.published]
    assert "late-interaction:bundled:bert-tiny" in json.dumps(cards)


def test_settings_of_the_type_are_in_the_keys(home: Path) -> None:
    plain, cut = (set(stage_keys(home, LATE | more, [DIRECT])) for more in ({}, {"dimensions": 8}))
    other = set(stage_keys(home, "bundled:bert-tiny", [DIRECT]))
    trained = [keys - other for keys in (plain, cut)]
    assert not trained[0] & trained[1]


def test_what_takes_one_embedding_a_text_is_refused_before_anything_runs(home: Path) -> None:
    methods = [
        {**DIRECT, "frozen_documents": True},
        {**DIRECT, "retriever_loss": {"name": "embed-distill", "encoder": "bundled:minilm-l6"}},
        "rocketqa-v2",
        "tas-b",
    ]
    with pytest.raises(UserErrors) as caught:
        Workspace(home / "workspace").plan(write_sweep(home, LATE, methods))
    errors = caught.value.errors
    asked = ("frozen_documents: true", "the loss 'embed-distill'", "joint training", "clustering of queries")
    assert [error.message.startswith(words) for error, words in zip(errors, asked, strict=True)] == [True] * 4
    assert all("'late-interaction' has none" in error.message and error.line for error in errors)


def test_the_source_of_a_plug_in_is_in_its_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for number in range(2):
        place = write_package("student", "fresh_student", home / str(number))
        source = place / "src" / "fresh_student.py"
        source.write_text(source.read_text() + "# edited\n" * number)
        with installed(place, "harness.students", monkeypatch) as plugin:
            kind = plugin(StudentType)
            assert student_type_of(kind(kind.Settings())) is None
            retriever = {"type": "fresh_student", "model": "bundled:bert-tiny"}
            found = stage_keys(home, retriever, ["zero-shot"])
            keys.append({key for key, name in found.items() if name.startswith("student")})
        sys.modules.pop("fresh_student", None)
    assert keys[0] and len(keys[0]) == len(keys[1]) and not keys[0] & keys[1]
    assert Settings.model_fields == {}
