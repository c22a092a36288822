"""What a file says, before anybody asks whether it makes sense."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config.load import load_sweep
from harness.errors import UserError
from tests.config.conftest import Load, Refused
from tests.config.fakes import REGISTRIES

LEAST = "collections: semanlink\nmethods: [bm25]\n"


def test_the_least_file(load: Load, tmp_path: Path) -> None:
    sweep = load(LEAST)
    assert sweep.name == "sweep"
    assert sweep.collections == ("semanlink",)
    assert [choice.label for choice in sweep.methods] == ["bm25"]
    assert sweep.candidates.engines == ("bm25s",)
    assert sweep.evaluate.metrics == ("nDCG@10", "R@100", "RR@10")
    assert (sweep.budgets, sweep.resamples, sweep.seeds) == ((), (0,), (0,))
    assert sweep.source.path == tmp_path / "sweep.yaml"
    assert sweep.baseline is None


def test_numbers_as_yaml_1_2_has_them(load: Load) -> None:
    sweep = load(
        LEAST
        + """
teachers: {t: {kind: litellm, model: 'off', prices: [1e-5, 2]}}
description: yes
name: 2024-01-01
max_length: 1_024
evaluate: {split: no}
"""
    )
    assert sweep.teachers["t"].settings.model_dump()["prices"] == [1e-5, 2.0]
    assert sweep.description == "yes"
    assert sweep.name == "2024-01-01"
    assert sweep.max_length == 1024
    assert sweep.evaluate.split == "no"


def test_anchors_and_merge_keys(load: Load) -> None:
    text = """
    collections: [semanlink]
    teachers:
      a: &a {kind: likelihood, model: m, batch: 2}
      b: {<<: *a, batch: 3}
    methods: [bm25]
    """
    found = load(text).teachers
    assert found["b"].settings.model_dump() == {"model": "m", "batch": 3}
    assert found["a"].settings.model_dump() == {"model": "m", "batch": 2}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("methods: [bm25\ncollections: x", 2, "is not YAML"),
        ("methods:\n  - a\n b: c\n", 3, "is not YAML"),
        ("methods: !!python/name:os.system\n", 1, "tag"),
        ("methods: &a [*a]\n", 1, "alias"),
        ("a: 1\n---\nb: 2\n", 2, "single document"),
        ("? [a, b]\n: 1\n", 1, "key"),
        ("- a\n", 1, "mapping"),
        ("", 1, "mapping"),
        ("name: ok\ndescription: \x01\n", 2, "not allowed"),
    ],
)
def test_wrong_syntax_names_the_line(refused: Refused, text: str, line: int, words: str) -> None:
    [error] = refused(text)
    assert (error.line, Path(str(error.file)).name) == (line, "sweep.yaml")
    assert words in error.message


def test_a_key_written_twice_is_refused_wherever_it_stands(refused: Refused) -> None:
    errors = refused(
        "collections: [semanlink]\nmethods: [bm25]\nseeds: 1\nteachers:\n  t: {kind: oracle}\n  t: {kind: "
        "oracle}\nseeds: 2\n"
    )
    assert [(error.key, error.line) for error in errors] == [("teachers.t", 6), ("seeds", 7)]
    assert "first in line 3" in errors[1].message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "budget.yaml").write_text(LEAST)
    with pytest.raises(UserError, match="no such sweep file") as caught:
        load_sweep(tmp_path / "budgte.yaml", (), REGISTRIES)
    assert caught.value.remedy == "did you mean 'budget.yaml'?"
    (tmp_path / "latin.yaml").write_bytes(b"name: ok\ndescription: caf\xe9\n")
    with pytest.raises(UserError, match="not UTF-8") as caught:
        load_sweep(tmp_path / "latin.yaml", (), REGISTRIES)
    assert caught.value.line == 2
    with pytest.raises(UserError, match="cannot be read"):
        load_sweep(tmp_path, (), REGISTRIES)


def test_the_hash_follows_the_content_not_its_form(load: Load) -> None:
    first = load("# a comment\n" + LEAST).source.sha256
    assert load("methods:\n- bm25\ncollections: $c\ndefinitions: {c: semanlink}\n").source.sha256 == first
    assert load(LEAST, "seeds=2").source.sha256 != first


WORDS = ["$x", "bm25", "oracle", "listmle"]
INNER = ["kind", "method", "name", "label", "x"]
OUTER = [
    "collections",
    "methods",
    "teachers",
    "budgets",
    "losses",
    "candidates",
    "students",
    "evaluate",
    "seeds",
    "definitions",
    "name",
    "x",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(data=st.dictionaries(st.sampled_from(OUTER), VALUES, max_size=6))
def test_any_mapping_loads_or_is_refused_with_places(
    data: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    try:
        load_sweep(path, (), REGISTRIES)
    except UserError as error:
        assert "any.yaml:" in str(error)


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(alphabet=st.characters(codec="utf-8"), max_size=40) | st.text("[]{}:,-&*!|>'\"#%@ \nab1$", max_size=40)
)
def test_any_text_loads_or_is_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(UserError):
        load_sweep(path, (), REGISTRIES)


def test_what_is_named_twice_counts_once_where_it_is_named_first(load: Load) -> None:
    text = "collections: semanlink\nmethods: [bm25]\nseeds: [3, 1, 3]\nevaluate: {metrics: [AP, RR@10, AP]}\n"
    sweep = load(text)
    assert (sweep.seeds, sweep.evaluate.metrics) == ((3, 1), ("AP", "RR@10"))
