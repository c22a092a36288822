"""``harness trace`` prints lines for people and one document for programs; ``harness curves`` shows rankers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import UserError
from tests.leaderboard.traces import put_traced, trace_of

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put_traced(tmp_path / "results", 100, 0, 0.5, trace_of(1.0))
    put_traced(tmp_path / "results", 300, 0, 0.5, trace_of(2.0, held_out=False))
    return tmp_path / "results"


def run(folder: Path, *arguments: str) -> str:
    outcome = RUNNER.invoke(app, [*arguments, "--results", str(folder)], env={"COLUMNS": "400"})
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.stdout


def test_a_row_is_one_line_and_its_steps_as_a_table(folder: Path) -> None:
    printed = run(folder, "trace", "300 labels")
    (line,) = (line for line in printed.splitlines() if line.startswith("judgments: candidates 0.500, teacher 0.750 >"))
    assert "held-out –" in line and "> retriever nDCG@10" in line
    rows = [line.split() for line in printed.splitlines()]
    assert ["student", "held-out", "lists", "nDCG@10", "of", "the", "ranker's", "order", "0.750"] in [
        row[:9] for row in rows
    ]
    assert "! ranker, held-out lists: all were learnt" in printed


def test_without_a_row_all_that_have_one_are_listed(folder: Path) -> None:
    printed = run(folder, "trace")
    assert printed.count("judgments: candidates") == 2 and "by chance" not in printed


def test_json_is_one_document(folder: Path) -> None:
    (row,) = json.loads(run(folder, "trace", "100 labels", "--json"))["rows"]
    assert row["collection"] == "semanlink" and row["runs"] == row["traced"] == 1
    assert [step["model"] for step in row["steps"]] == [
        *("candidates", "teacher", "ranker", "ranker", "candidates", "ranker", "student", "student", "retriever")
    ]
    assert row["line"].endswith(f"{row['steps'][-1]['value']:.3f}")


def test_a_row_that_does_not_exist_is_an_error(folder: Path) -> None:
    with pytest.raises(UserError, match="no row 'nothing'"):
        run(folder, "trace", "nothing")
    with pytest.raises(UserError, match="no published run of collection 'other'"):
        run(folder, "trace", "--collection", "other")


def test_curves_show_rankers_beside_the_methods(folder: Path) -> None:
    plain, more = (
        json.loads(run(folder, "curves", "--json", *options))["tables"][0]["curves"]
        for options in ((), ("--reranked",))
    )
    names = [one["series"] for one in more]
    assert len(more) == len(plain) + 1 and any("its ranker re-ranks" in name for name in names)
    with pytest.raises(UserError, match="no ranker was evaluated by RR@10"):
        run(folder, "curves", "--reranked", "-m", "RR@10")
