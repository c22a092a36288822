"""Wrong files are refused with everything that is wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.load import load_sweep
from harness.errors import UserErrors
from tests.config.conftest import Load, Refused

HEAD = """\
collections: [semanlink]
teachers:
  llm: {kind: litellm, model: a/b}
  lik: {kind: likelihood}
budgets: [10]
"""


def test_all_faults_at_once_in_the_order_of_the_file(refused: Refused) -> None:
    errors = refused("""\
    collection: [semanlink]
    collections: [semanlnk, 5]
    students: {retriever: {statc: x}, ranker: bundled:minilm}
    candidates: {engine: [bm25, "dense:bundled:x"], depht: 10, training_queries: [trin], k1: -1}
    teachers:
      a: {kind: liklihood}
      b: {kind: litellm, ask: {strategy: listwse, shufle: true}}
      c: 5
    losses: {ranker: [listml, kl, {name: ranknet, sigm: 2}], retrievr: kl}
    methods:
      - bm52
      - {method: intermediate, temperature: [0.1, -1], ranker: {warm_up: [none, title]}, budgets: [0], tempe: 1}
      - {method: direct, teachers: [aa], retriever_loss: [ranknet, kll]}
      - {method: supervised}
      - {method: zero-shot, budgets: [100], teachers: [a]}
      - {method: intermediate, low: 5}
      - {label: x}
      - 5
    budgets: {from: 100, to: 10, stps: 3}
    resamples: 0
    evaluate: {split: 5, metrics: [ndcg10], baseline: zero-short}
    max_length: 0.5
    """)
    assert [f"{error.line} {error.key}" for error in errors] == [
        "1 collection",
        "2 collections.0",
        "2 collections.1",
        "3 students.retriever.static",
        "3 students.retriever.statc",
        "3 students.ranker",
        "4 candidates.engine.0",
        "4 candidates.engine.1",
        "4 candidates.training_queries.0",
        "4 candidates.depht",
        "6 teachers.a.kind",
        "7 teachers.b.model",
        "7 teachers.b.ask.strategy",
        "7 teachers.b.ask.shufle",
        "8 teachers.c",
        "9 losses.ranker.0",
        "9 losses.ranker.1",
        "9 losses.ranker.2.sigm",
        "9 losses.retrievr",
        "11 methods.0",
        "12 methods.1.tempe",
        "12 methods.1.ranker.warm_up.1",
        "12 methods.1.temperature.1",
        "12 methods.1.budgets.0",
        "13 methods.2.retriever_loss.0",
        "13 methods.2.retriever_loss.1",
        "13 methods.2.teachers.0",
        "14 methods.3.margin",
        "15 methods.4.teachers",
        "15 methods.4.budgets",
        "16 methods.5",
        "17 methods.6.method",
        "18 methods.7",
        "19 budgets.steps",
        "19 budgets.stps",
        "20 resamples",
        "21 evaluate.split",
        "21 evaluate.metrics.0",
        "21 evaluate.baseline",
        "22 max_length",
    ]


@pytest.mark.parametrize(
    ("line", "key", "suggestion"),
    [
        ("methods: [intermdiate]", "methods.0", "did you mean 'intermediate'?"),
        ("methods: [{method: intermediate, temprature: 1}]", "methods.0.temprature", "did you mean 'temperature'?"),
        ("methods: [{method: intermediate, ranker: {layer: 1}}]", "methods.0.ranker.layer", "did you mean 'layers'?"),
        ("methods: [{method: intermediate, teachers: [lllm]}]", "methods.0.teachers.0", "did you mean 'llm'?"),
        ("methods: [{method: intermediate, ranker_loss: listmel}]", "methods.0.ranker_loss", "did you mean 'listmle'?"),
        ("methods: [bm25]\nevaluate: {metric: [AP]}", "evaluate.metric", "did you mean 'metrics'?"),
        ("methods: [bm25]\nevaluate: {metrics: [AP, nDGC@10]}", "evaluate.metrics.1", "did you mean 'nDCG'?"),
        ("methods: [bm25]\nevaluate: {baseline: bm2}", "evaluate.baseline", "did you mean 'bm25'?"),
        ("methods: [bm25]\ncandidates: {k11: 1}", "candidates.k11", "did you mean 'k1'?"),
        ("methods: [bm25]\nstudents: {ranker: bundled:minilm}", "students.ranker", "did you mean 'minilm-l6'?"),
        ("methods: [bm25]\nlosses: {rankers: kl}", "losses.rankers", "did you mean 'ranker'?"),
        ("methods: [bm25]\nbudget: [1]", "budget", None),
    ],
)
def test_names_get_a_suggestion(refused: Refused, line: str, key: str, suggestion: str | None) -> None:
    head = HEAD if "budget:" not in line else "collections: semanlink\n"
    [error] = refused(head + line)
    assert error.key == key
    assert error.remedy == (suggestion or "did you mean 'budgets'?")


def test_settings_of_the_engine_are_checked(refused: Refused) -> None:
    [error] = refused(HEAD + "methods: [bm25]\ncandidates: {engine: [bm25s, lucene], k1: -1}")
    assert (error.key, error.message) == ("candidates.k1", "must be at least 0, not -1")
    [error] = refused(HEAD + "methods: [bm25]\ncandidates: {engine: 'dense:x/y', k1: 1}")
    assert error.message == "unknown key 'k1'"
    [error] = refused(HEAD + "methods: [bm25]\ncandidates: {engine_settings: {k1: 1}}")
    assert error.key == "candidates.engine_settings"


def test_a_method_without_the_teacher_it_needs(refused: Refused) -> None:
    [error] = refused("collections: semanlink\nbudgets: 1\nmethods: [direct]")
    assert "needs a teacher, and the sweep defines none" in error.message
    [error] = refused("collections: semanlink\nbudgets: 1\nteachers: {o: {kind: oracle}}\nmethods: [replug-lsr]")
    assert "none of the defined teachers gives likelihoods" in error.message
    [error] = refused(HEAD + "methods:\n- {method: replug-lsr, teachers: [lik, llm]}")
    assert (error.line, error.key) == (7, "methods.0.teachers.1")
    assert error.message == "'replug-lsr' needs likelihoods, which 'llm' does not give: a litellm gives order and text"


def test_a_method_without_a_budget(refused: Refused, load: Load) -> None:
    text = "collections: semanlink\nteachers: {o: {kind: oracle}}\nmethods: [bm25, direct, intermediate]"
    [error] = refused(text)
    assert error.key == "methods.1"
    assert "'direct', 'intermediate'" in error.message
    assert load(text.replace("direct", "{method: direct, budgets: 5}").replace(", intermediate", "")).methods[
        1
    ].budgets == (5,)


def test_two_methods_of_one_name(refused: Refused) -> None:
    [error] = refused(HEAD + "methods: [bm25, {method: zero-shot, label: bm25}]")
    assert error.key == "methods.1.label"
    assert "both called 'bm25'" in error.message


def test_axes_that_are_empty_or_too_long(refused: Refused) -> None:
    [error] = refused(HEAD + "methods: [{method: direct, epochs: []}]")
    assert (error.key, error.message) == ("methods.0.epochs", "must name at least one value")
    numbers = ", ".join(str(number) for number in range(1, 151))
    [error] = refused(
        HEAD + f"methods: [{{method: intermediate, temperature: [{numbers}], distil_queries: [{numbers}]}}]"
    )
    assert "more than 10,000 combinations" in error.message


@pytest.mark.parametrize("value", ["nan", "inf", ".inf", ".nan", "-.inf"])
def test_numbers_are_finite(refused: Refused, value: str) -> None:
    errors = refused(HEAD + f"methods: [{{method: intermediate, temperature: {value}}}]\nmax_cost: {value}")
    assert [error.key for error in errors] == ["methods.0.temperature", "max_cost"]


SECTIONS = [
    "collections",
    "methods",
    "teachers",
    "losses",
    "students",
    "candidates",
    "evaluate",
    "extends",
    "definitions",
]


@pytest.mark.parametrize("value", ["null", "[]", "{}", "''", "true", "3", "x", "[[1]]", "[null]"])
@pytest.mark.parametrize("key", SECTIONS)
def test_values_of_the_wrong_shape_never_crash(load: Load, key: str, value: str) -> None:
    from harness.errors import UserError

    text = "".join(line for line in ["collections: semanlink\n", "methods: [bm25]\n"] if not line.startswith(key))
    try:
        load(f"{text}{key}: {value}\n")
    except UserError as error:
        assert key in str(error)
    else:
        assert value == "{}" or (key, value) in {("extends", "null"), ("collections", "x")}


def test_methods_that_need_budgets_are_named_where_none_are_given(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    # "students" is nearly "budgets", and no misspelling of it.
    file.write_text(
        "collections: semanlink\nstudents: {retriever: bundled:minilm-l6}\nteachers: {t: {kind: oracle}}\n"
        "methods: [bm25, direct, supervised]\n"
    )

    with pytest.raises(UserErrors) as caught:
        load_sweep(file)

    (error,) = caught.value.errors
    assert error.key == "methods.1" and "'direct', 'supervised'" in error.message
    assert error.remedy == "add for example budgets: [100, 300, 1000]"
