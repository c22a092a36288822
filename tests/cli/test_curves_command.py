"""``harness curves`` prints tables for people and one document for programs."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.curves_command import AmongOption, AxisName, FitName, PriceOption
from harness.cli.main import app
from harness.errors import UserError
from harness.evaluation.curves.fits import FITS
from harness.leaderboard.board import load_board
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.frontier import AMONG, PRICES
from harness.leaderboard.row_texts import titles
from tests.leaderboard.runs import make_card, make_run, put, put_board

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("curves") / "results"
    put_board(results)
    return results


def curves(folder: Path, *options: str) -> str:
    outcome = RUNNER.invoke(app, ["curves", "--results", str(folder), *options])
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.stdout


def test_json_is_one_document(folder: Path) -> None:
    found = json.loads(curves(folder, "--target", "0.85", "--price", "usd", "--json"))
    (table,) = found["tables"]
    assert table["target"] == {"name": "0.85", "mean": 0.85}
    assert table["frontier"]["price"] == "usd"
    ours = next(one for one in table["curves"] if len(one["points"]) == 2)
    assert ours["needed"]["words"].startswith("about ")
    assert 100 < ours["needed"]["value"] < 300


def test_another_metric_collection_and_axis(folder: Path) -> None:
    found = json.loads(curves(folder, "-m", "MRR@10", "--collection", "semanlink", "--axis", "usd", "--json"))[
        "tables"
    ][0]
    assert (found["metric"], found["axis"]) == ("RR@10", "USD")
    both = [json.loads(curves(folder, "--band", band, "--json"))["tables"][0] for band in ("runs", "all")]
    assert [one["band"] for one in both] == ["resamples and seeds", "queries, resamples and seeds"]
    assert "no row has a budget" in curves(folder, "--axis", "tokens")
    assert json.loads(curves(folder, "--axis", "tokens", "--json"))["tables"][0]["curves"] == []


def test_a_frontier_is_among_rows_with_labels_and_money_counts_hours(folder: Path) -> None:
    def frontier(*options: str) -> dict[str, Any]:
        return json.loads(curves(folder, "--price", "usd", "--json", *options))["tables"][0]["frontier"]

    labelled, every, priced = frontier(), frontier("--among", "all"), frontier("--hour", "2.5")
    left_out = {row["name"] for row in labelled["without_labels"]}
    assert {row["name"] for row in every["rows"]} == {row["name"] for row in labelled["rows"]} | left_out
    assert "zero-shot" in left_out and not every["without_labels"]
    assert "among rows that use labels" in labelled["family"] and "among" not in every["family"]
    (table,) = load_board(folder).tables
    costs = {name: row.cost for name, row in titles(table).items()}
    assert {row["name"]: row["price"] for row in priced["rows"]} == {
        row["name"]: costs[row["name"]]["usd"] + 2.5 * costs[row["name"]]["seconds"] / 3600 for row in priced["rows"]
    }
    placebo = next(row for row in labelled["rows"] if "shuffled" in row["name"])
    assert placebo["mark"] == "placebo"


def test_the_picture_is_written(folder: Path, tmp_path: Path) -> None:
    said = curves(folder, "--svg", str(tmp_path / "curves.svg"))
    assert "Curves" in said
    assert ET.parse(tmp_path / "curves.svg").getroot().tag.endswith("svg")
    put(tmp_path / "flat", make_card("zero"), make_run(0.5))
    with pytest.raises(UserError, match="no curve to draw"):
        curves(tmp_path / "flat", "--svg", str(tmp_path / "none.svg"))


def test_names_that_do_not_exist_are_errors(folder: Path) -> None:
    for options in (("--target", "no-lm"), ("--against", "nobody"), ("--collection", "other")):
        with pytest.raises(UserError):
            curves(folder, *options)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert "no published runs" in curves(tmp_path)


def test_choices_are_those_of_the_rooms() -> None:
    assert [name.value for name in AxisName] == list(AXES)
    assert [name.value for name in FitName] == list(FITS)
    assert {name.value for name in PriceOption} == set(PRICES)
    assert {name.value for name in AmongOption} == set(AMONG)
