"""The lines of docs/teachers.md: each makes a teacher, is reached as it says, and names the variable that it needs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.labelling.labels.teacher import Teacher
from harness.teachers.litellm import LiteLLM
from harness.teachers.make import teacher_from

PAGE = (Path(__file__).parents[2] / "docs" / "teachers.md").read_text(encoding="utf-8")
HOSTED = re.findall(r"^\| ([\w ]+) \| `(\w+_KEY)` \| `(\{.*\})` \|$", PAGE, re.MULTILINE)
OWN = re.findall(r"^\| ([\w. ]+) \| `(\{kind.*?\})`(?:,.*)? \|$", PAGE, re.MULTILINE)
PROVIDERS = {"OpenAI", "Azure OpenAI", "Anthropic", "Gemini", "Mistral", "DeepSeek", "OpenRouter", "LiteLLM proxy"}
SERVERS = {"vLLM", "SGLang", "Ollama", "llama.cpp", "LM Studio", "TGI"}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_BASE", "_API_VERSION")):
            monkeypatch.delenv(name)


def made(line: str) -> Teacher:
    spec: dict[str, Any] = yaml.safe_load(line)
    return teacher_from(spec)


def test_every_usual_provider_and_server_has_a_line() -> None:
    assert {name for name, _, _ in HOSTED} == PROVIDERS
    assert {name for name, _ in OWN} == SERVERS


@pytest.mark.parametrize(("name", "variable", "line"), HOSTED)
def test_a_providers_line_needs_its_key_and_has_a_price(
    name: str, variable: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = made(line)
    assert isinstance(teacher, LiteLLM) and teacher.priced
    if name != "LiteLLM proxy":
        assert variable in str(teacher.unready())
    monkeypatch.setenv(variable, "a-key-of-the-provider")
    assert teacher.unready() is None
    assert "a-key-of-the-provider" not in repr(teacher.open())


@pytest.mark.parametrize(("name", "line"), OWN)
def test_a_line_for_a_server_of_ones_own_needs_no_key(name: str, line: str) -> None:
    assert made(line).unready() is None
