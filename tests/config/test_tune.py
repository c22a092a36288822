"""The section `tune`: which trials a method makes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from harness.config.cells import Cell, expand
from harness.config.sweep_file import SweepFile
from tests.config.conftest import Load, Refused

HEAD = """\
collections: [semanlink]
teachers: {llm: {kind: litellm, model: a/b}}
budgets: [10]
methods: [bm25, zero-shot, direct, {method: intermediate, ranker: {layers: 3}}]
"""


def cells(sweep: SweepFile) -> dict[str, Cell]:
    return {cell.label: cell for cell in expand(sweep).cells}


def settings(cell: Cell, *names: str) -> list[Any]:
    return [tuple(trial.settings.model_dump()[name] for name in names) for trial in cell.trials]


def test_every_combination_is_a_trial_of_every_trained_method_and_of_no_other(load: Load) -> None:
    found = cells(load(HEAD + "tune: {trials: {learning_rate: [0.1, 0.2], retriever_loss.temperature: [0.5, 1]}}\n"))
    assert found["bm25"].trials == found["zero-shot"].trials == ()
    loss = {"name": "listmle", "temperature": 0.5}, {"name": "listmle", "temperature": 1.0}
    tried = [(0.1, loss[0]), (0.1, loss[1]), (0.2, loss[0]), (0.2, loss[1])]
    assert settings(found["direct"], "learning_rate", "retriever_loss") == tried
    assert [trial.changed for trial in found["direct"].trials][1] == {
        "learning_rate": 0.1,
        "retriever_loss.temperature": 1,
    }
    assert len(found["intermediate"].trials) == 4


def test_trials_one_by_one_leave_the_rest_as_the_entry_has_it(load: Load) -> None:
    text = "tune: {methods: {intermediate: [{}, {ranker.epochs: 7, negatives: [5]}]}, trials: [{}, {epochs: 9}]}\n"
    found = cells(load(HEAD + text))["intermediate"]
    ranker = {"warm_up": "none", "layers": 3, "epochs": 2}
    assert settings(found, "ranker", "negatives") == [(ranker, [1, 2]), (ranker | {"epochs": 7}, [5])]


@pytest.mark.parametrize(
    "written",
    [
        "{ranker.epochs: [3, 4]}",
        "{ranker: {epochs: [3, 4, 3]}}",
        "[{ranker.epochs: 3}, {ranker: {epochs: 4}}, {ranker.epochs: 3}]",
    ],
)
def test_ways_to_write_the_same_trials(load: Load, written: str) -> None:
    found = cells(load(HEAD.replace("direct,", "") + f"tune: {{trials: {written}}}\n"))["intermediate"]
    assert [trial.changed for trial in found.trials] == [{"ranker.epochs": 3}, {"ranker.epochs": 4}]
    assert [trial.settings.model_dump()["ranker"]["layers"] for trial in found.trials] == [3, 3]


def test_trials_stay_with_their_variant_and_reach_each_of_its_cells(load: Load) -> None:
    text = (
        HEAD.replace("direct", "{method: direct, epochs: [1, 2]}")
        + "seeds: 2\ntune: {trials: {learning_rate: [0.1, 0.2]}}\n"
    )
    found = [cell for cell in expand(load(text)).cells if cell.method.name == "direct"]
    assert [settings(cell, "epochs", "learning_rate") for cell in found] == [
        [(epochs, 0.1), (epochs, 0.2)] for epochs in (1, 2) for _ in range(2)
    ]


def test_a_loss_keeps_its_name_and_its_other_settings(load: Load) -> None:
    text = (
        HEAD.replace("intermediate,", "intermediate, ranker_loss: {name: ranknet}, ")
        + "tune: {trials: {learning_rate: [0.1, 0.2]}}\n"
    )
    assert settings(cells(load(text))["intermediate"], "ranker_loss") == [("ranknet",), ("ranknet",)]
    sigma = load(
        text,
        "tune.trials=[{learning_rate: 1}, {learning_rate: 2}]",
        "tune.methods.intermediate.ranker_loss.sigma=[1, 3]",
    )
    assert settings(cells(sigma)["intermediate"], "ranker_loss") == [("ranknet",), ({"name": "ranknet", "sigma": 3.0},)]


def test_split_and_metric(load: Load) -> None:
    text = HEAD + "tune: {trials: {learning_rate: [0.1, 0.2]}}\nevaluate: {metrics: [AP, RR@10]}\n"
    assert (tune := load(text).tune) and (tune.split, tune.metric) == ("dev", "AP")
    other = load(text, "tune.split=val", "tune.metric=ndcg@10").tune
    assert other and (other.split, other.metric) == ("val", "nDCG@10")


def test_a_file_that_extends_a_tuned_one_may_change_it_or_turn_it_off(load: Load) -> None:
    base = HEAD + "tune: {trials: {learning_rate: [0.1, 0.2]}}\n"
    assert (
        len(cells(load("extends: base.yaml\ntune: {trials: {learning_rate: [1, 2, 3]}}\n", base=base))["direct"].trials)
        == 3
    )
    assert load("extends: base.yaml\ntune: null\n", base=base).tune is None


def test_nothing_is_tuned_unless_the_file_says_so(load: Load) -> None:
    assert load(HEAD).tune is None
    assert all(cell.trials == () for cell in expand(load(HEAD)).cells)


def test_all_faults_of_the_section_at_once_at_their_lines(refused: Refused) -> None:
    errors = refused(
        HEAD
        + """\
tune:
  trials:
    - {learning_rte: 0.1}
    - {learning_rate: -1}
    - {learning_rate: 0.1, ranker.epochs: 1}
    - {retriever_loss.temperatur: 1}
    - {learning_rate: [0.1]}
  split: test
  methods:
    direkt: {epochs: [1, 2, 3, 4, 5]}
    zero-shot: {epochs: [1, 2, 3, 4, 5]}
    intermediate: {low: [-1, -2]}
"""
    )
    assert [(error.line, error.key, error.message) for error in errors] == [
        (7, "tune.trials.0.learning_rte", "direct: unknown setting 'learning_rte'"),
        (8, "tune.trials.1.learning_rate", "direct: must be greater than 0, not -1"),
        (9, "tune.trials.2.ranker.epochs", "direct: unknown setting 'ranker.epochs'"),
        (10, "tune.trials.3.retriever_loss.temperatur", "direct: unknown setting 'retriever_loss.temperatur'"),
        (11, "tune.trials.4.learning_rate", "direct: must be a number, not a list"),
        (
            12,
            "tune.split",
            "'test' is the split that results are judged on (evaluate.split): what is chosen on it looks better than "
            "it is",
        ),
        (14, "tune.methods.direkt", "'direkt' is no trained method of this sweep"),
        (15, "tune.methods.zero-shot", "'zero-shot' is no trained method of this sweep"),
        (16, "tune.methods.intermediate", "has 2 trials where others have 5: every method gets the same number"),
    ]
    assert errors[0].remedy and errors[0].remedy.startswith("did you mean 'learning_rate'?")
    assert errors[3].remedy and errors[3].remedy.startswith("did you mean 'retriever_loss.temperature'?")


def test_one_fault_names_every_method_that_has_it(refused: Refused) -> None:
    [error] = refused(HEAD + "tune: {trials: {batch: [8, 16]}}\n")
    assert error.message == "direct, intermediate: unknown setting 'batch'"


def test_values_that_do_not_go_together_are_told_of_the_trial(refused: Refused) -> None:
    [error] = refused(
        HEAD + "tune: {trials: [{}, {}], methods: {intermediate: [{high: 2}, {low: 2}]}}\n", "tune.trials.1.epochs=1"
    )
    assert (error.key, error.message) == ("tune.methods.intermediate.1", "intermediate: low must be below high")


def test_a_loss_that_lacks_the_setting(refused: Refused) -> None:
    text = HEAD.replace("intermediate,", "intermediate, ranker_loss: ranknet, ").replace("direct,", "")
    [error] = refused(text + "tune: {trials: {ranker_loss.temperature: [1, 2]}}\n")
    assert error.message == "intermediate: unknown setting 'ranker_loss.temperature'"


@pytest.mark.parametrize(
    ("entry", "trials"),
    [
        ("{method: direct, learning_rate: 0.1}", "{learning_rate: [1, 2]}"),
        ("{method: direct, learning_rate: [0.1, 0.2]}", "{learning_rate: [1, 2]}"),
        ("{method: direct, retriever_loss: {name: kl, temperature: 2}}", "{retriever_loss.temperature: [1, 2]}"),
    ],
)
def test_a_setting_is_tuned_or_set_but_not_both(refused: Refused, entry: str, trials: str) -> None:
    [error] = refused(HEAD.replace("direct", entry) + f"tune: {{trials: {trials}}}\n")
    assert (error.line, "is tuned here and set with the method too" in error.message) == (5, True)


@pytest.mark.parametrize(
    ("trials", "key", "message"),
    [
        ("{retriever_loss: [kl, listmle]}", "tune.trials.retriever_loss", "which loss is used cannot be tuned"),
        ("[{retriever_loss: {name: kl}}]", "tune.trials.0.retriever_loss.name", "which loss is used cannot be tuned"),
        ("{learning_rate: []}", "tune.trials.learning_rate", "must name at least one value"),
        ("[{ranker.epochs: 1, ranker: {epochs: 2}}]", "tune.trials.0.ranker.epochs", "is given twice"),
        ("[3]", "tune.trials.0", "must be a mapping of settings to values"),
        ("{}", "tune.trials", "must be settings with lists of values"),
        ("learning_rate", "tune.trials", "must be settings with lists of values"),
        (
            f"{{learning_rate: {list(range(1, 41))}, epochs: {list(range(1, 41))}}}",
            "tune.trials",
            "more than 1,000 trials",
        ),
        (f"{[{'epochs': number} for number in range(1, 1002)]}", "tune.trials", "more than 1,000 trials"),
    ],
)
def test_trials_of_the_wrong_shape(refused: Refused, trials: str, key: str, message: str) -> None:
    [error] = refused(HEAD + f"tune: {{trials: {trials}}}\n")
    assert error.key == key and message in error.message and error.line == 5


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("tune: {split: dev}", "tune.trials"),
        ("tune: 3", "tune"),
        ("tune: {trials: {epochs: 1}, metric: nDGC}", "tune.metric"),
        ("tune: {trials: {epochs: 1}, splt: dev}", "tune.splt"),
        ("tune: {trials: {epochs: 1}, methods: {direct: {epochs: []}}}", "tune.methods.direct.epochs"),
    ],
)
def test_a_section_of_the_wrong_shape(refused: Refused, text: str, key: str) -> None:
    [error] = refused(HEAD + text)
    assert error.key == key and error.line == 5
