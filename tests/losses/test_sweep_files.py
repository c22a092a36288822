"""Sums of losses as a sweep file says them: faults at their keys, one short form, and a schema that knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from harness.config.cells import expand
from harness.config.load import load_sweep
from harness.config.schema import sweep_schema
from harness.errors import UserError, UserErrors

SUM: dict[str, Any] = {
    "name": "sum",
    "of": [{"name": "kl", "weight": 1}, {"name": "infonce", "weight": 0.1, "in_batch": True, "positive": "top"}],
}


def written(folder: Path, *losses: Any) -> Path:
    file = folder / "sweep.yaml"
    sweep = {"collections": ["semanlink"], "methods": [{"method": "no-llm", "retriever_loss": list(losses)}]}
    file.write_text(yaml.safe_dump(sweep), encoding="utf-8")
    return file


def test_a_sum_is_one_value_and_equal_sums_are_one_cell(tmp_path: Path) -> None:
    short = {"name": "sum", "of": ["kl", SUM["of"][1]]}
    cells = expand(load_sweep(written(tmp_path, SUM, short, "kl"))).cells
    assert [cell.loss("retriever") for cell in cells] == [
        "sum of=[kl, infonce weight=0.1 positive=top in_batch=true]",
        "kl",
    ]


@pytest.mark.parametrize(
    ("of", "key", "told"),
    [
        (["kl", "kll"], "1", "did you mean 'kl'"),
        ([{"name": "kll"}], "0.name", "did you mean 'kl'"),
        ([], "", "at least one loss"),
        ([{"name": "infonce", "in_bach": True}], "0.in_bach", "did you mean 'in_batch'"),
        ([{"name": "kl", "temperature": "warm"}], "0.temperature", "must be a number, not 'warm'"),
        ([{"name": "infonce", "positive": "best"}], "0.positive", "must be 'gold' or 'top', not 'best'"),
        (["kl", {"name": "kl", "weight": 0}], "1.weight", "greater than 0"),
        (["kl", "pointwise-bce"], "1", "for a ranker, not for a retriever"),
        (["kl", {"name": "sum", "of": ["pointwise-mse"]}], "1.of.0", "for a ranker, not for a retriever"),
    ],
)
def test_what_is_wrong_with_a_term_is_said_at_its_key(of: list[Any], key: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_sweep(written(tmp_path, "kl", {"name": "sum", "of": of}))
    errors = caught.value.errors if isinstance(caught.value, UserErrors) else (caught.value,)
    assert [str(error.key).startswith(f"methods.0.retriever_loss.1.of.{key}".rstrip(".")) for error in errors] == [True]
    assert told in str(errors[0])


def test_the_schema_accepts_a_sum_and_refuses_one_without_terms(tmp_path: Path) -> None:
    schema = Draft202012Validator(sweep_schema())
    assert schema.is_valid(yaml.safe_load(written(tmp_path, SUM, {"name": "sum", "of": ["kl"]}).read_text()))
    assert not schema.is_valid(yaml.safe_load(written(tmp_path, {"name": "sum", "of": []}).read_text()))
    assert not schema.is_valid(yaml.safe_load(written(tmp_path, "sum").read_text()))
