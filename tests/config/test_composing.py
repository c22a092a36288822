"""Files made of files, definitions and overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.conftest import Load, Refused

BASE = """
name: base
description: the base
collections: [semanlink]
teachers: {gpt-4.1: {kind: litellm, model: a/b, ask: {strategy: setwise}}}
methods: [bm25, {method: direct, epochs: 2}]
budgets: [10, 20]
candidates: {depth: 7, k1: 1.5}
"""


def test_extends_merges_mappings_and_replaces_lists(load: Load) -> None:
    sweep = load(
        "extends: base.yaml\nbudgets: [5]\ncandidates: {depth: 9}\nteachers: {gpt-4.1: {model: c/d}}\n", base=BASE
    )
    assert sweep.budgets == (5,)
    assert (sweep.candidates.depth, sweep.candidates.engine_settings) == (9, {"k1": 1.5})
    assert sweep.teachers["gpt-4.1"].settings.model_dump()["model"] == "c/d"
    assert sweep.teachers["gpt-4.1"].settings.model_dump()["ask"]["strategy"] == "setwise"
    assert (sweep.name, sweep.description) == ("sweep", "")


def test_another_kind_replaces_the_settings_too(load: Load) -> None:
    sweep = load("extends: base.yaml\nteachers: {gpt-4.1: {kind: oracle}}\n", base=BASE)
    assert sweep.teachers["gpt-4.1"].kind == "oracle"


def test_extends_through_folders_and_several_files(load: Load, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "middle.yaml").write_text("extends: ../base.yaml\nseeds: 2\n")
    sweep = load("extends: deep/middle.yaml\nmax_length: 64\n", base=BASE)
    assert (sweep.seeds, sweep.max_length, sweep.budgets) == ((0, 1), 64, (10, 20))


def test_faults_name_the_file_they_stand_in(refused: Refused) -> None:
    errors = refused("extends: base.yaml\nseeds: x\n", base=BASE + "max_length: y\n")
    assert [(Path(str(error.file)).name, error.line, error.key) for error in errors] == [
        ("base.yaml", 9, "max_length"),
        ("sweep.yaml", 2, "seeds"),
    ]


def test_extends_in_a_circle_or_nowhere(refused: Refused) -> None:
    [error] = refused("extends: a.yaml\n", a="extends: b.yaml\n", b="x: 1\nextends: a.yaml\n")
    assert "a.yaml -> b.yaml -> a.yaml" in error.message
    assert (Path(str(error.file)).name, error.line) == ("b.yaml", 2)
    [error] = refused("extends: nowhere.yaml\n")
    assert "no sweep file" in error.message
    [error] = refused("extends: [a.yaml]\n")
    assert (error.key, error.line) == ("extends", 1)


def test_definitions_stand_anywhere_and_lists_are_spliced(load: Load) -> None:
    sweep = load("""
    definitions:
      small: [10, 20]
      model: openai/x
      ask: {strategy: pairwise}
      refs: [bm25, zero-shot]
      teacher: {kind: litellm, model: $model, ask: $ask}
    collections: semanlink
    teachers: {t: $teacher}
    budgets: [$small, 500]
    methods: [$refs, {method: direct, budgets: $small, epochs: $small}]
    """)
    assert sweep.budgets == (10, 20, 500)
    assert [choice.label for choice in sweep.methods] == ["bm25", "zero-shot", "direct"]
    assert sweep.methods[2].budgets == (10, 20)
    assert [variant.model_dump()["epochs"] for variant in sweep.methods[2].variants] == [10, 20]
    assert sweep.teachers["t"].settings.model_dump()["ask"] == {"strategy": "pairwise", "shuffle": False}


def test_a_child_changes_a_definition_of_its_base(load: Load) -> None:
    base = "definitions: {n: [1]}\nbudgets: $n\ncollections: semanlink\nmethods: [bm25]\n"
    assert load("extends: base.yaml\ndefinitions: {n: [2]}\n", base=base).budgets == (2,)


def test_unknown_and_circular_definitions(refused: Refused) -> None:
    errors = refused("""\
    definitions: {small: [1], a: [$b], b: {x: $a}}
    collections: semanlink
    methods: [bm25]
    budgets: $smal
    """)
    assert [(error.line, error.key) for error in errors] == [(1, "definitions.a.0.x.0"), (4, "budgets")]
    assert "a -> b -> a" in errors[0].message
    assert errors[1].remedy == "did you mean 'small'?"


def test_a_fault_inside_a_definition_is_shown_where_it_is_written(refused: Refused) -> None:
    [error] = refused("definitions:\n  n: [10, -1]\ncollections: semanlink\nmethods: [bm25]\nbudgets: $n\n")
    assert (error.line, error.key) == (2, "budgets.1")


@pytest.mark.parametrize(
    ("override", "get", "value"),
    [
        ("candidates.depth=20", lambda sweep: sweep.candidates.depth, 20),
        ("evaluate.split=dev", lambda sweep: sweep.evaluate.split, "dev"),
        ("budgets=[1, 2]", lambda sweep: sweep.budgets, (1, 2)),
        ("budgets.0=15", lambda sweep: sweep.budgets, (15, 20)),
        (
            "methods.1.epochs=[1, 9]",
            lambda sweep: [v.model_dump()["epochs"] for v in sweep.methods[1].variants],
            [1, 9],
        ),
        ("methods.0.label=lexical", lambda sweep: sweep.methods[0].label, "lexical"),
        ("teachers.gpt-4.1.model=x/y=z", lambda sweep: sweep.teachers["gpt-4.1"].settings.model, "x/y=z"),
        ("teachers.new={kind: oracle}", lambda sweep: sweep.teachers["new"].kind, "oracle"),
        ("definitions.n=[3]", lambda sweep: sweep.seeds, (3,)),
        ("max_cost=1e-2", lambda sweep: sweep.max_cost, 0.01),
        ("budgets=$n", lambda sweep: sweep.budgets, (1,)),
    ],
)
def test_overrides(load: Load, override: str, get: object, value: object) -> None:
    assert callable(get)
    assert get(load(BASE + "definitions: {n: [1]}\nseeds: $n\n", override)) == value


@pytest.mark.parametrize(
    ("override", "key", "remedy"),
    [
        ("candidate.depth=20", "candidate", "candidates"),
        ("candidates.dept=20", "candidates.dept", "depth"),
        ("methods.1.epoch=2", "methods.1.epoch", "epochs"),
        ("methods.2.epochs=2", "methods.2", "0 to 1"),
        ("methods.direct.epochs=2", "methods.direct", "0 to 1"),
        ("teachers.gtp-41.model=x", "teachers.gtp-41", "gpt-4.1"),
        ("definitions.m=1", "definitions.m", "known"),
        ("name.x=1", "name", "name=..."),
        ("candidates.depth=abc", "candidates.depth", ""),
        ("budgets", None, "depth=20"),
        ("=3", None, "depth=20"),
        ("extends=x.yaml", "extends", "file"),
        ("seeds=[1", None, ""),
        ("teachers.new={kind: oracle, kind: oracle}", "kind", "keep one"),
    ],
)
def test_wrong_overrides(refused: Refused, override: str, key: str | None, remedy: str) -> None:
    [error] = refused(BASE + "definitions: {known: 1}\n", override)
    assert (error.file, error.line, error.key) == (f"--set {override}", None, key)
    assert remedy in (error.remedy or "")


def test_every_wrong_override_is_told_beside_the_faults_of_the_file(refused: Refused) -> None:
    errors = refused(BASE + "seeds: x\n", "nonsense", "candidates.depth=-1", "budgets=[7]")
    assert [error.key for error in errors] == ["candidates.depth", None, "seeds"]
