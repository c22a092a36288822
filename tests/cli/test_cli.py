"""The command line as people and scripts meet it: exit codes, standard output, errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.catalogue import kinds
from tests.calling import call


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    file = tmp_path / "a.trec"
    file.write_text("q1 Q0 d1 1 2.0 a\nq1 Q0 d2 2 1.0 a\n")
    (tmp_path / "b.trec").write_text("q1 Q0 d2 1 2.0 b\nq2 Q0 d3 1 1.0 b\n")
    (tmp_path / "qrels.txt").write_text("q1 0 d2 1\nq2 0 d3 1\n")
    return file


def test_evaluate_counts_a_missing_query_as_zero(
    run_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qrels = str(run_file.parent / "qrels.txt")
    assert call(monkeypatch, "evaluate", str(run_file), "--qrels", qrels, "-m", "RR@10", "--per-query", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"] == {"RR@10": 0.25} and told["per_query"] == {"RR@10": {"q1": 0.5, "q2": 0.0}}


def test_compare_has_the_documented_shape(
    run_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(run_file), str(run_file.parent / "b.trec"), "--qrels", str(run_file.parent / "qrels.txt")]
    assert call(monkeypatch, "compare", *files, "--baseline", str(run_file), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {"metric", "test", "correction", "family", "seed", "runs", "comparisons"} <= set(told)
    only = told["comparisons"][0]
    assert only["a"] == "a" and only["b"] == "b" and only["difference"] > 0 and 0 < only["p"] <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "nowhere.trec", "--qrels", "semanlink:test"], "no such run"),
        (["evaluate", "RUN", "--qrels", "nowhere.tsv"], "no such qrels"),
        (["evaluate", "RUN", "--qrels", "QRELS", "-m", "nDGC@10"], "did you mean"),
        (["show", "losses", "listmel"], "did you mean 'listmle'"),
        (["sweep", "nowhere.yaml"], "no such sweep file"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: list[str],
    words: str,
    run_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"RUN": str(run_file), "QRELS": str(run_file.parent / "qrels.txt")}
    assert call(monkeypatch, *(names.get(word, word) for word in arguments)) == 2
    told = capsys.readouterr()
    assert words in told.err and "Traceback" not in told.err and told.out == ""


@pytest.mark.parametrize("kind", ["teachers", "methods", "losses", "collections", "engines", "metrics"])
def test_lists_are_json_with_fixed_keys(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "list", kind, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows and all({"name", "summary", "source", "needs"} <= set(row) for row in rows)


def test_schema_is_a_json_schema(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "schema") == 0
    assert "methods" in json.loads(capsys.readouterr().out)["properties"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, harness.cli.main\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'litellm', 'scipy', 'pyarrow', 'pandas', "
        "'streamlit', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.models
def test_doctor_names_every_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "doctor", "--json") == 0
    checks = {row["name"]: row for row in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["bundled:minilm-l6"]["ok"] and checks["precision"]["ok"]
    assert all(row["ok"] or row["remedy"] for row in checks.values())


def test_every_kind_of_plug_in_can_be_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in [*kinds(), "metrics", "prompts", "examples"]:
        assert call(monkeypatch, "list", kind, "--json") == 0
        assert json.loads(capsys.readouterr().out)
