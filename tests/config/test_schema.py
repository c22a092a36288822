"""The JSON schema accepts what loads and refuses what an editor can know to be wrong."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from harness.config.schema import sweep_schema
from tests.config.conftest import Load
from tests.config.fakes import REGISTRIES

jsonschema = pytest.importorskip("jsonschema")

GOOD = """
name: everything
description: every key
definitions: {lrs: [0.1, 1.0], more: 3}
collections: [semanlink, beir/scifact, {folder: ../x, dev_cap: 3}]
students: {retriever: {static: bundled:minilm-l6}, ranker: bundled:minilm-l6}
candidates:
  {engine: [bm25s, "dense:bundled:minilm-l6"], depth: 10, training_queries: [train, titles], pool: 50, k1: 1.2}
teachers:
  lik: {kind: likelihood, model: bundled:smollm2-135m}
  gpt-4.1: {kind: litellm, model: openai/gpt-4.1-mini, ask: {strategy: listwise, shuffle: true}}
losses: {ranker: [listmle, {name: ranknet, sigma: 2}], retriever: kl}
methods:
  - bm25
  - zero-shot
  - method: intermediate
    temperature: $lrs
    ranker: {warm_up: [none, titles]}
    ranker_loss: [listmle]
    distil_queries: [null, $more]
  - {method: direct, label: d, teachers: [gpt-4.1], budgets: {from: 1, to: 9, steps: 2}, epochs: [1, 2]}
  - {method: supervised, margin: 1, budgets: 10}
budgets: {from: 100, to: 10000, steps: 3}
resamples: 3
seeds: [0, $more]
evaluate: {split: test, depth: 10, metrics: [ndcg@10, R@100, RR@10], baseline: zero-shot}
tune: {trials: {learning_rate: $lrs}, split: dev, metric: AP, methods: {intermediate: [{low: 0.1}, {high: 2}]}}
max_length: 128
max_cost: 5
"""


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = sweep_schema(REGISTRIES)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("text", [GOOD, "{collections: semanlink, methods: [bm25]}", "{extends: base.yaml, seeds: 2}"])
def test_good_files_pass(validator: Any, text: str) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


def test_what_passes_here_loads(load: Load) -> None:
    assert len(load(GOOD).methods) == 5


BAD: dict[str, dict[str, Any]] = {
    "unknown key": {"budget": [1]},
    "unknown method": {"methods": ["bm52"]},
    "method without its required setting": {"methods": ["supervised"]},
    "unknown setting": {"methods": [{"method": "direct", "epoch": 1}]},
    "wrong type on an axis": {"methods": [{"method": "direct", "epochs": [1, "x"]}]},
    "unknown loss": {"methods": [{"method": "intermediate", "ranker_loss": "kll"}]},
    "loss of the other role": {"losses": {"ranker": ["kl"]}},
    "unknown kind": {"teachers": {"t": {"kind": "oracl"}}},
    "teacher without its model": {"teachers": {"t": {"kind": "litellm"}}},
    "unknown value inside": {"teachers": {"t": {"kind": "litellm", "model": "m", "ask": {"strategy": "x"}}}},
    "negative budget": {"budgets": [-1]},
    "unknown engine": {"candidates": {"engine": "bm25"}},
    "setting of no engine": {"candidates": {"k2": 1}},
    "unknown collection": {"collections": "semanlnk"},
    "range without steps": {"budgets": {"from": 1, "to": 2}},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_fail(validator: Any, name: str) -> None:
    data = {"collections": "semanlink", "methods": ["bm25"]} | BAD[name]
    assert list(validator.iter_errors(data)), name


def test_missing_keys_fail(validator: Any) -> None:
    assert list(validator.iter_errors({"collections": "semanlink"}))


def test_an_editor_can_explain(validator: Any) -> None:
    schema = validator.schema
    assert all(field.get("description") for field in schema["properties"].values())
    methods = {
        option["properties"]["method"]["const"]: option
        for option in schema["$defs"]["method"]["anyOf"]
        if "properties" in option
    }
    assert methods["direct"]["description"] == "order to retriever"
    assert methods["intermediate"]["properties"]["temperature"]["description"] == "of the softmax"
