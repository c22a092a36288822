"""The cells that a sweep makes."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from harness.config.cells import expand
from tests.config.conftest import Load

HEAD = """
collections: [semanlink]
teachers:
  llm: {kind: litellm, model: a/b}
  lik: {kind: likelihood}
budgets: [10, 20]
resamples: 2
seeds: [0, 7]
"""


def test_axes_that_a_method_does_not_use_collapse(load: Load) -> None:
    expansion = expand(load(HEAD + "methods: [bm25, {method: supervised, margin: 1}, direct]\n"))
    counts = Counter(cell.label for cell in expansion.cells)
    assert counts == {"bm25": 1, "supervised": 2 * 2 * 2, "direct": 2 * 2 * 2 * 2}
    assert expansion.dropped == 3 * 16 - 25
    lexical, gold = expansion.cells[0], expansion.cells[1]
    assert (lexical.teacher, lexical.budget, lexical.resample, lexical.seed) == (None, None, None, None)
    assert (gold.teacher, gold.budget, gold.resample, gold.seed) == (None, 10, 0, 0)
    assert {cell.seed for cell in expansion.cells} == {None, 0, 7}


def test_lists_are_axes_unless_the_setting_is_a_list(load: Load) -> None:
    sweep = load(
        HEAD + "methods: [{method: intermediate, temperature: [0.1, 1], negatives: [3, 4], mixture: [0.5, 0.5], "
        "distil_queries: [null, 100]}]\n"
    )
    found = [(v.temperature, v.distil_queries) for v in sweep.methods[0].variants]  # type: ignore[attr-defined]
    assert found == [(0.1, None), (0.1, 100), (1.0, None), (1.0, 100)]
    assert all((v.negatives, v.mixture) == ([3, 4], (0.5, 0.5)) for v in sweep.methods[0].variants)  # type: ignore[attr-defined]


def test_settings_inside_settings_are_axes_too(load: Load) -> None:
    sweep = load(HEAD + "methods: [{method: intermediate, ranker: {warm_up: [none, titles], layers: 3}}]\n")
    assert [v.model_dump()["ranker"] for v in sweep.methods[0].variants] == [
        {"warm_up": w, "layers": 3, "epochs": 2} for w in ("none", "titles")
    ]
    whole = load(HEAD + "methods: [{method: intermediate, ranker: [{layers: 1}, {warm_up: titles}]}]\n")
    assert [v.model_dump()["ranker"]["layers"] for v in whole.methods[0].variants] == [1, 6]


def test_labels_tell_variants_apart(load: Load) -> None:
    cells = expand(
        load(
            HEAD
            + """
methods:
  - {method: intermediate, temperature: [0.1, 1], ranker_loss: [listmle, ranknet]}
  - {method: intermediate, temperature: 1, ranker: {warm_up: titles}}
  - {method: intermediate, distil_queries: 5, label: more}
  - direct
"""
        )
    ).cells
    assert list(dict.fromkeys(cell.label for cell in cells)) == [
        "intermediate temperature=0.1 ranker.warm_up=none",
        "intermediate temperature=1.0 ranker.warm_up=none",
        "intermediate temperature=1.0 ranker.warm_up=titles",
        "more",
        "direct",
    ]
    assert len({str(cell) for cell in cells}) == len(cells)
    assert (
        str(cells[0])
        == "semanlink intermediate temperature=0.1 ranker.warm_up=none listmle kl llm budget 10 resample 0 seed 0"
    )


def test_equal_cells_are_made_once(load: Load) -> None:
    once = expand(load(HEAD + "methods: [{method: direct, epochs: 3}]\n"))
    text = HEAD.replace("[semanlink]", "[semanlink, semanlink]").replace("[10, 20]", "[20, 10, 10]")
    again = expand(
        load(
            text
            + "methods: [direct, {method: direct, epochs: [3, 3]}, {method: direct, retriever_loss: {name: listmle}}]\n"
        )
    )
    assert again.cells == once.cells
    assert again.dropped == 3 * 16
    assert once.dropped == 0


def test_losses_of_the_sweep_reach_methods_that_name_none(load: Load) -> None:
    sweep = load(
        HEAD
        + """
losses: {ranker: [listmle, {name: ranknet, sigma: 2}], retriever: kl}
methods:
  [intermediate, direct, {method: intermediate, label: own, ranker_loss: {name: ranknet, sigma: 1.0}}, replug-lsr, bm25]
"""
    )
    losses = {
        choice.label: [v.model_dump(include={"ranker_loss", "retriever_loss"}) for v in choice.variants]
        for choice in sweep.methods
    }
    assert losses["intermediate"] == [
        {"ranker_loss": "listmle", "retriever_loss": "kl"},
        {"ranker_loss": {"name": "ranknet", "sigma": 2.0}, "retriever_loss": "kl"},
    ]
    assert losses["direct"] == [{"retriever_loss": "kl"}]
    assert losses["own"] == [{"ranker_loss": "ranknet", "retriever_loss": "kl"}]
    assert losses["bm25"] == losses["replug-lsr"] == [{}]


def test_teachers_by_what_a_method_needs(load: Load) -> None:
    sweep = load(HEAD + "methods: [replug-lsr, direct, {method: intermediate, teachers: lik}]\n")
    assert [choice.teachers for choice in sweep.methods] == [("lik",), ("llm", "lik"), ("lik",)]


@pytest.mark.parametrize(
    ("written", "budgets"),
    [
        ("300", (300,)),
        ("[300, 100, 300]", (100, 300)),
        ("{from: 100, to: 10000, steps: 3}", (100, 1000, 10000)),
        ("{from: 100, to: 10000, steps: 5, scale: log}", (100, 316, 1000, 3162, 10000)),
        ("{from: 10, to: 30, steps: 3, scale: linear}", (10, 20, 30)),
        ("{from: 1, to: 3, steps: 9}", (1, 2, 3)),
    ],
)
def test_budgets(load: Load, written: str, budgets: tuple[int, ...]) -> None:
    assert load(f"collections: semanlink\nmethods: [bm25]\nbudgets: {written}\n").budgets == budgets


def test_the_baseline_is_found_by_label_or_method(load: Load) -> None:
    methods = "methods: [bm25, {method: zero-shot, label: minilm}]\n"
    assert load(HEAD + methods).baseline == "minilm"
    assert load(HEAD + methods + "evaluate: {baseline: bm25}\n").baseline == "bm25"
    assert load(HEAD + methods + "evaluate: {baseline: zero-shot}\n").baseline == "minilm"
    assert load(HEAD + "methods: [bm25]\n").baseline is None


def test_thousands_of_cells_expand_at_once(load: Load) -> None:
    sweep = load(
        HEAD.replace("[10, 20]", "{from: 10, to: 1000, steps: 10}")
        + "methods: [{method: intermediate, temperature: [0.1, 0.2, 0.3, 0.4, 0.5], ranker_loss: [listmle, ranknet]}, "
        "bm25]\n"
    )
    begun = time.perf_counter()
    expansion = expand(sweep)
    assert time.perf_counter() - begun < 0.3
    assert len(expansion.cells) == 10 * 10 * 2 * 2 * 2 + 1


def test_a_file_of_thirty_lines_loads_in_a_blink(load: Load) -> None:
    text = (
        HEAD
        + "methods:\n"
        + "".join(f"  - {{method: intermediate, label: m{n}, temperature: [0.1, 0.{n + 2}]}}\n" for n in range(20))
    )
    load(text)
    begun = time.perf_counter()
    load(text)
    assert time.perf_counter() - begun < 0.2


def test_no_loss_is_for_the_method_to_judge(load: Load) -> None:
    sweep = load(HEAD + "methods: [{method: intermediate, ranker_loss: [null, listmle]}]\n")
    assert [v.model_dump()["ranker_loss"] for v in sweep.methods[0].variants] == [None, "listmle"]


def test_a_cell_says_its_losses_and_the_name_given_in_the_file(load: Load) -> None:
    text = (
        "methods: [direct, {method: intermediate, label: mine, temperature: [1, 2], ranker_loss: {name: ranknet, "
        "sigma: 2}}]\n"
    )
    first, *_, last = expand(load(HEAD + text)).cells
    assert (first.entry, first.loss("ranker"), first.loss("retriever")) == ("", None, "listmle")
    assert (last.entry, last.loss("ranker"), last.label) == ("mine", "ranknet sigma=2.0", "mine temperature=2.0")
