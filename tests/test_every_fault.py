"""Wherever settings are checked, every fault is told at once: key, the value that was given, what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.collections.parse import parse_source
from harness.errors import UserErrors
from harness.evaluation.metrics.lookup import metric
from harness.labelling.labels.teacher import Teacher
from harness.labelling.prompting.templates import load_chat_prompt
from harness.losses.spec import LossSpec
from harness.plugin_checks.run_checks import settings_of
from harness.plugins import plugin
from harness.retrieval.search_stages import lexical_search
from harness.teachers.make import teacher_from

NOTHING: Any = None
SUM = {"name": "sum", "of": [{"name": "kl", "weight": -1, "temperature": -1}, "ranknett", {"weight": 1}]}
BOT = {"kind": "litellm", "model": "openai/x", "ask": {"strategy": "sliding", "window": 0, "step": 0, "prompt": 3}}

CASES: dict[str, tuple[Callable[[], object], dict[str, str]]] = {
    "a loss": (
        lambda: LossSpec.of({"name": "margin-mse", "temperature": -1, "foo": 2}),
        {
            "temperature": "must be greater than 0, not -1\n  see: harness show losses margin-mse",
            "foo": "unknown key 'foo'\n  known: ",
        },
    ),
    "a sum of losses": (
        lambda: LossSpec.of(SUM),
        {
            "of.0.weight": "must be greater than 0, not -1",
            "of.0.temperature": "must be greater than 0, not -1",
            "of.1": "unknown loss 'ranknett'\n  did you mean 'ranknet'?",
            "of.2.name": "this key is required",
        },
    ),
    "an engine": (
        lambda: lexical_search("bm25s", {"k1": -1, "b": 7, "stemer": 1}, NOTHING, NOTHING, 10),
        {
            "k1": "must be at least 0, not -1",
            "b": "must be at most 1, not 7",
            "stemer": "unknown key 'stemer'\n  did you mean 'stemmer'?",
        },
    ),
    "a collection": (
        lambda: parse_source({"folder": 1, "nam": 2}),
        {"folder": "must be text, not 1\n  put it in quotes", "nam": "unknown key 'nam'\n  did you mean 'name'?"},
    ),
    "a teacher": (
        lambda: teacher_from({"kind": "litellm", "temperature": -1, "top_p": 3}),
        {
            "temperature": "must be at least 0, not -1",
            "top_p": "must be at most 1, not 3",
            "model": "this key is required",
        },
    ),
    "a strategy inside a teacher": (
        lambda: teacher_from(BOT),
        {
            "ask.prompt": "must be text, not 3",
            "ask.window": "must be at least 2, not 0",
            "ask.step": "must be at least 1, not 0",
        },
    ),
    "a metric": (
        lambda: metric("AP(rel=0)@0"),
        {"rel": "must be at least 1, not '0'", "cutoff": "must be at least 1, not '0'"},
    ),
    "a plug-in to be checked": (
        lambda: settings_of("teacher", plugin(Teacher, "litellm"), {"temperature": -1}),
        {
            "temperature": "must be at least 0, not -1",
            "model": "this key is required\n  see: harness show teachers litellm; settings are",
        },
    ),
}


@pytest.mark.parametrize("thing", CASES)
def test_every_fault_has_its_key_its_value_and_a_remedy(thing: str) -> None:
    make, expected = CASES[thing]
    with pytest.raises(UserErrors) as caught:
        make()
    told = {str(fault.key): f"{fault.message}\n  {fault.remedy}" for fault in caught.value.parts}
    assert told.keys() == expected.keys()
    assert all(told[key].startswith(words) for key, words in expected.items()), told
    assert all(str(fault).startswith(f"{fault.what}: {fault.key}: ") for fault in caught.value.parts)


def test_a_prompt_tells_its_file_too(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("summry: x\ntxt: y\n")
    with pytest.raises(UserErrors) as caught:
        load_chat_prompt("mine.yaml", tmp_path, frozenset())
    assert {fault.key for fault in caught.value.parts} == {"summary", "text", "summry", "txt"}
    assert {fault.file for fault in caught.value.parts} == {tmp_path / "mine.yaml"}
