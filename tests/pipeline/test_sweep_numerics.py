"""Numerics are resolved once a sweep: in the keys of all that computes, on cards, and checked before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from harness.errors import UserError
from harness.pipeline.plan import Plan
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import CARD
from tests.baselines.small import write_collection
from tests.golden.record import EVERY_KIND

pytestmark = pytest.mark.models


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_collection(tmp_path / "data")
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(EVERY_KIND))
    return tmp_path


def planned(home: Path, *overrides: str) -> Plan:
    return Workspace(home / "workspace").plan(home / "sweep.yaml", overrides)


def test_all_that_computes_has_keys_of_its_class(home: Path) -> None:
    plans = [planned(home, f"numerics={name}") for name in ("cpu-fp32", "cpu-bf16", "cuda-fp32", "cuda-bf16")]
    for plan in plans:
        assert {str(one) for stage in plan.stages.values() if (one := stage.computed_in)} == {str(plan.numerics)}
    computing = [{key for key, stage in plan.stages.items() if stage.computed_in} for plan in plans]
    kinds = {stage.kind for stage in plans[0].stages.values() if stage.computed_in}
    assert {
        "embed",
        "dense-search",
        "ranker",
        "retriever",
        "labels",
        "answer-labels",
        "read",
        "static-student",
    } <= kinds
    for number, keys in enumerate(computing):
        assert len(keys) == len(computing[0]) and all(not keys & set(other.stages) for other in plans[:number])


def test_what_is_read_counted_and_asked_of_services_has_one_key(home: Path) -> None:
    one, other = (planned(home, f"numerics={name}").stages for name in ("cpu-fp32", "cuda-bf16"))
    same = {stage.kind for key, stage in one.items() if key in other}
    assert {"pool", "lexical-index", "lexical-search", "labels"} <= same
    assert {one[key].label.split(",")[0] for key in one if key in other and one[key].kind == "labels"} == {"litellm"}


def test_the_file_goes_before_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = planned(home, "numerics=cpu-bf16")
    monkeypatch.setenv("HARNESS_PRECISION", "bf16")
    assert planned(home).stages.keys() == told.stages.keys() == planned(home, "numerics=cpu-bf16").stages.keys()
    assert told.report()["numerics"] == "cpu-bf16"


def test_more_threads_are_other_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    one = planned(home).stages
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    several = planned(home)
    shared = {stage.kind for key, stage in one.items() if key in several.stages and stage.computed_in}
    # A likelihood does not depend on them.
    assert shared == {"labels", "answer-labels"} and several.report()["numerics"] == "cpu-fp32, 2 threads"


def test_a_sweep_for_a_gpu_is_planned_and_not_run_without_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    plan = planned(
        home, "numerics=cuda-bf16", "methods=[bm25, zero-shot]", "evaluate.answers=null", "evaluate.metrics=[nDCG@10]"
    )
    with pytest.raises(UserError, match="compute in cuda-bf16, and there is no GPU here"):
        plan.run(home / "results")
    assert not (home / "results").exists()


def test_cards_and_manifests_say_what_computed(home: Path) -> None:
    plan = planned(
        home, "numerics=cpu-bf16", "methods=[bm25, zero-shot]", "evaluate.answers=null", "evaluate.metrics=[nDCG@10]"
    )
    published = plan.run(home / "results").published
    cards = {folder.name.split("-")[0]: yaml.safe_load((folder / CARD).read_text()) for folder in published}
    assert "numerics" not in cards["bm25"]
    told = cards["zero"]["numerics"]
    (manifest,) = (home / "workspace" / "store" / "embed").glob("*/artefact.json")
    made = json.loads(manifest.read_text())
    assert made["numerics"] == {"class": "cpu-bf16", "device": told["devices"][0]} and made["threads"] == 1
    assert (told["classes"], told["threads"], told["versions"]["torch"]) == (
        ["cpu-bf16"],
        [1],
        [made["versions"]["torch"]],
    )
