"""``harness evaluate`` and ``harness compare`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import evaluate_commands
from harness.cli.main import app, main
from harness.evaluation.significance.corrections import CORRECTIONS
from harness.evaluation.significance.evaluate_run import Alternative
from harness.evaluation.significance.intervals import INTERVALS
from harness.evaluation.significance.paired_tests import TESTS

RUNS = ("weak.trec", "strong.trec", "copy.trec")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    grades = [f"q{query} 0 d{query % 4} 1" for query in range(20)]
    (tmp_path / "qrels.txt").write_text("\n".join(grades) + "\n")
    for name, shift in zip(RUNS, (1, 0, 0), strict=True):
        lines = [
            f"q{query} Q0 d{(query + shift * (query % 3) + rank) % 4} {rank} {9 - rank} {name.split('.')[0]}"
            for query in range(20)
            for rank in range(4)
        ]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def told(*words: str) -> dict:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_options_offer_what_there_is() -> None:
    assert set(evaluate_commands.TestOption) == set(TESTS)
    assert set(evaluate_commands.CorrectionOption) == set(CORRECTIONS)
    assert set(evaluate_commands.IntervalOption) == set(INTERVALS)
    assert set(evaluate_commands.AlternativeOption) == set(Alternative)


def test_evaluate_takes_parameters_of_metrics(files: Path) -> None:
    names = ["nDCG(dcg='exp-log2')@10", "P(judged_only=True)@1", "RBP(p=0.5,rel=1)"]
    answer = told("evaluate", RUNS[1], "--qrels", "qrels.txt", *(word for name in names for word in ("-m", name)))
    assert answer["metrics"] == {names[0]: 1.0, names[1]: 1.0, names[2]: 0.5}


def test_compare_passes_every_option_on(files: Path) -> None:
    options = [
        "--test",
        "t",
        "--correction",
        "by",
        "--alternative",
        "greater",
        "--interval",
        "bca",
        "--equivalence",
        "0.1",
    ]
    options += ["--alpha", "0.01", "--power", "0.9", "--seed", "7", "-m", "RR", "-m", "AP", "--baseline", RUNS[0]]
    answer = told("compare", *RUNS, "--qrels", "qrels.txt", *options)
    assert (answer["metric"], answer["test"], answer["correction"], answer["alternative"]) == (
        "RR, AP",
        "t",
        "by",
        "greater",
    )
    assert (answer["interval"], answer["margin"], answer["alpha"], answer["power"], answer["seed"]) == (
        "bca",
        0.1,
        0.01,
        0.9,
        7,
    )
    assert [(row["metric"], row["a"], row["b"]) for row in answer["comparisons"]][:2] == [
        ("RR", "weak", "strong"),
        ("RR", "weak", "copy"),
    ]
    keys = {"a", "b", "difference", "interval", "effect_size", "p", "p_adjusted", "wins", "ties", "losses"}
    assert keys | {"superiority", "detectable", "queries_needed", "equivalence", "verdict"} <= set(
        answer["comparisons"][0]
    )


def test_compare_for_people_fits_eighty_columns(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = (
        CliRunner()
        .invoke(app, ["compare", *RUNS, "--qrels", "qrels.txt", "--test", "maxt", "--equivalence", "0.05"])
        .output
    )
    assert max(map(len, shown.splitlines())) <= 80
    assert (
        "strong" in shown
        and "against weak" in shown
        and "as good" in shown
        and "adjusted by maxt" in shown.replace("\n", " ")
    )


def test_the_same_command_gives_the_same_answer(files: Path) -> None:
    words = ("compare", *RUNS, "--qrels", "qrels.txt", "--test", "tukey", "--seed", "3")
    assert told(*words) == told(*words)


def test_all_unknown_metrics_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(Path(__file__).parents[2] / "results" / "semanlink" / "bm25-b287f4b1")
    monkeypatch.setattr("sys.argv", ["harness", "evaluate", run, "--qrels", "q.tsv", "-m", "foo", "-m", "nDGC@10"])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "unknown metric 'foo'" in said and "did you mean 'nDCG'" in said
