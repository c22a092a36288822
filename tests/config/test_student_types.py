"""A sweep file names a type of student with its model and settings; every fault is told at its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.choices import StudentChoice
from harness.config.load import load_sweep
from harness.errors import UserErrors

BASE = "collections: semanlink\nmethods: [zero-shot]\nstudents: {retriever: %s}\n"


def load(tmp_path: Path, retriever: str) -> object:
    file = tmp_path / "sweep.yaml"
    file.write_text(BASE % retriever, encoding="utf-8")
    return load_sweep(file).students.retriever


def test_a_type_a_model_and_settings(tmp_path: Path) -> None:
    choice = load(tmp_path, "{type: late-interaction, model: bundled:bert-tiny, dimensions: 32}")
    assert isinstance(choice, StudentChoice)
    assert (choice.student.name, choice.model) == ("late-interaction", "bundled:bert-tiny")
    assert choice.student.settings.model_dump() == {"dimensions": 32}


@pytest.mark.parametrize(
    ("retriever", "key", "words"),
    [
        ("{type: late-interacton, model: m}", "students.retriever.type", "did you mean 'late-interaction'?"),
        ("{type: splade}", "students.retriever.model", "this key is required"),
        ("{type: splade, model: bundled:bert-tny}", "students.retriever.model", "did you mean 'bert-tiny'?"),
        ("{type: splade, model: m, dimensions: 3}", "students.retriever.dimensions", "unknown key"),
        ("{type: late-interaction, model: m, dimensions: 0}", "students.retriever.dimensions", "at least 1"),
    ],
)
def test_faults_are_told_at_their_key(retriever: str, key: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserErrors) as caught:
        load(tmp_path, retriever)
    assert [error.key for error in caught.value.errors] == [key]
    assert words in str(caught.value) and caught.value.errors[0].line == 3


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserErrors) as caught:
        load(tmp_path, "{type: late-interaction, dimensions: none}")
    assert {error.key for error in caught.value.errors} == {
        "students.retriever.model",
        "students.retriever.dimensions",
    }
