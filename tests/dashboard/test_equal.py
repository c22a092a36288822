"""The terminal and the page never disagree: ten choices of each, every number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.comparison_tables import p_text, p_words, verdict_words
from harness.labelling.labels.ranking import VERDICTS as LABEL_VERDICTS
from harness.leaderboard import row_texts
from harness.leaderboard.board import load_board
from harness.leaderboard.load_results import load_results
from harness.leaderboard.render.comparison_files import interval
from harness.leaderboard.row_texts import titles
from tests.dashboard.pages import open_page
from tests.leaderboard.runs import METRICS, QRELS, make_card, make_run, put

pytestmark = pytest.mark.slow

BOARDS: list[dict[str, str]] = [
    {},
    {"metric": "RR@10"},
    {"metric": "R@100"},
    {"baseline": "no-llm"},
    {"baseline": "intermediate"},
    {"metric": "RR@10", "baseline": "no-llm"},
    {"metric": "R@100", "baseline": "no-llm"},
    {"metric": "RR@10", "baseline": "intermediate"},
    {"metric": "R@100", "baseline": "intermediate"},
    {"metric": "nDCG@10", "baseline": "zero-shot"},
]
ROWS = ("zero-shot", "no-llm", "intermediate · shuffled · 100 labels")
COMPARISONS: list[tuple[str, str, str, str]] = [
    ("nDCG@10", "randomisation", "holm", "all pairs"),
    ("nDCG@10", "randomisation", "bh", "zero-shot"),
    ("nDCG@10", "t", "bonferroni", "no-llm"),
    ("nDCG@10", "wilcoxon", "hochberg", "all pairs"),
    ("RR@10", "randomisation", "none", "no-llm"),
    ("RR@10", "bootstrap", "by", "zero-shot"),
    ("RR@10", "t", "holm", "all pairs"),
    ("R@100", "randomisation", "holm", "all pairs"),
    ("R@100", "t", "bh", "zero-shot"),
    ("RR@10", "bootstrap-t", "holm", "no-llm"),
]


def told(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _bounds(found: list[float] | None) -> str:
    return row_texts.bounds(Interval(*found)) if found else ""


def _uncertain(found: dict[str, Any] | None) -> str:
    return ", ".join(f"{source['name']} {source['share']:.0%}" for source in found["sources"]) if found else ""


@pytest.mark.parametrize("choice", BOARDS)
def test_every_number_of_the_leaderboard_is_that_of_harness_board(
    folder: Path, monkeypatch: pytest.MonkeyPatch, choice: dict[str, str]
) -> None:
    options = [word for name, value in choice.items() for word in (f"--{name}", value)]
    rows = told("board", "--results", str(folder), *options)["rows"]
    shown = open_page(folder, monkeypatch, verdicts="true", **choice).dataframe[0].value
    lead = choice.get("metric", "nDCG@10")
    expected: dict[str, list[Any]] = {
        "#": [row["rank"] for row in rows],
        "95 %": [_bounds(row["metrics"][lead]["interval"]) for row in rows],
        "labels": [row["budget"] for row in rows],
        "runs": [row["runs"] for row in rows],
        "uncertain by": [_uncertain(row["variance"]) for row in rows],
        "flags": ["; ".join(row["flags"]) for row in rows],
        "USD": [row["cost"]["usd"] for row in rows],
        "train s": [row["cost"]["train_seconds"] for row in rows],
        "all s": [row["cost"]["seconds"] for row in rows],
        "tokens": [row["cost"]["input_tokens"] + row["cost"]["output_tokens"] for row in rows],
        **{name: [row["metrics"][name]["mean"] for row in rows] for name in METRICS},
        **{f"labels {verdict}": [row["labels"].get(verdict) for row in rows] for verdict in LABEL_VERDICTS},
    }
    for cell, row in zip(shown["method"], rows, strict=True):
        assert cell.startswith(row["method"]) and all(flag in cell for flag in row["flags"])
        assert (row["teacher"] or "") in cell and (not row["budget"] or f"{row['budget']:,} labels" in cell)
    for name, values in expected.items():
        column = shown[name].astype(object).where(shown[name].notna(), None).tolist()
        assert column == values, name
    for said, row in zip(shown["against baseline"], rows, strict=True):
        against = row["against"]
        assert said.strip("▲▼ ") == (
            "" if against is None else f"{against['difference']:+.3f} ({p_words(against['p_adjusted'])})"
        )
        assert ("▲" in said, "▼" in said) == (
            (against or {}).get("verdict") == "better",
            (against or {}).get("verdict") == "worse",
        )


@pytest.mark.parametrize("choice", [{}, {"metric": "R@100"}, {"baseline": "direct"}])
def test_without_a_row_of_the_usual_baseline_nothing_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: dict[str, str]
) -> None:
    put(tmp_path, make_card("a", "direct"), make_run(0.5))
    put(tmp_path, make_card("b", "intermediate"), make_run(0.6, 2))
    options = [word for name, value in choice.items() for word in (f"--{name}", value)]
    rows = told("board", "--results", str(tmp_path), *options)["rows"]
    page = open_page(tmp_path, monkeypatch, **choice)
    assert page.selectbox(key="baseline").value == choice.get("baseline", "none")
    shown = [bool(said) for said in page.dataframe[0].value["against baseline"]]
    assert shown == [row["against"] is not None for row in rows]
    assert any(shown) == ("baseline" in choice)


@pytest.fixture(scope="module")
def qrels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qrels") / "qrels.txt"
    path.write_text(
        "".join(
            f"{query} 0 {document} {grade}\n" for query, grades in QRELS.items() for document, grade in grades.items()
        )
    )
    return path


@pytest.mark.parametrize(("metric", "test", "correction", "against"), COMPARISONS)
def test_every_number_of_a_comparison_is_that_of_harness_compare(
    folder: Path, qrels: Path, monkeypatch: pytest.MonkeyPatch, metric: str, test: str, correction: str, against: str
) -> None:
    (table,) = load_board(folder).tables
    result_set, rows = load_results(folder), titles(table)
    paths = {name: str(result_set.runs_of_row(table, rows[name])[0].folder) for name in ROWS}
    called = {name: name for name in ROWS}
    options = ["--group", "--qrels", str(qrels), "-m", metric, "--test", test, "--correction", correction]
    options += ["--baseline", paths[against]] if against in paths else []
    answer = told("compare", *paths.values(), *options)
    choice = {"metric": metric, "test": test, "correction": correction, "against": against}
    page = open_page(folder, monkeypatch, "compare", rows=list(ROWS), **choice)
    # Between them stands the matrix of all pairs, where all were tested.
    means, tests = page.dataframe[0].value, page.dataframe[2 if against == "all pairs" else 1].value
    # The command puts the baseline first; the page keeps the order in which rows were chosen.
    runs = {called[row["name"]]: row for row in answer["runs"]}
    assert means["row"].tolist() == list(ROWS) and set(runs) == set(ROWS)
    assert means[metric].tolist() == [runs[name]["mean"] for name in ROWS]
    assert means["95 % over queries"].tolist() == [interval(runs[name]["interval"]) for name in ROWS]
    found = answer["comparisons"]
    numbers = {"difference": "difference", "d_z": "effect_size", "P(better)": "superiority", "detectable": "detectable"}
    for heading, key in numbers.items():
        assert tests[heading].tolist() == [row[key] for row in found], heading
    letters = dict(zip(means["letter"], means["row"], strict=True))
    pairs = [(letters[a], letters[b]) for a, b in zip(tests["against"], tests["row"], strict=True)]
    assert pairs == [(called[row["a"]], called[row["b"]]) for row in found]
    assert tests["p"].tolist() == [p_text(row["p"]) for row in found]
    assert tests["p adj."].tolist() == [p_text(row["p_adjusted"]) for row in found]
    assert tests["95 %"].tolist() == [interval(row["interval"]) for row in found]
    assert tests["+/=/-"].tolist() == [f"{row['wins']} / {row['ties']} / {row['losses']}" for row in found]
    assert tests["verdict"].tolist() == [verdict_words(row) for row in found]
