"""`harness report` and `harness export` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.retrieval.run import Run
from tests.calling import call
from tests.leaderboard.runs import make_card, make_run, put


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    put(tmp_path / "results", make_card("zero"), make_run(0.2, 1))
    monkeypatch.chdir(tmp_path)
    return put(tmp_path / "results", make_card("good", "good"), make_run(0.9, 2))


def test_a_page_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "report", "results") == 0
    assert capsys.readouterr().out == ""
    text = Path("report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "harness report results --html</code>" in text


def test_several_baselines_are_each_tested_and_together(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(Path("results"), make_card("middle", "middle"), make_run(0.4, 3))
    words = ("--markdown", "--baseline", "zero-shot", "--baseline", "middle")
    assert call(monkeypatch, "report", "results", *words) == 0
    told = capsys.readouterr().out
    assert "harness report results --markdown --baseline zero-shot --baseline middle" in told
    assert "Against zero-shot and middle, each of them, on nDCG@10: 1 of 1 row better, 0 worse" in told
    assert "better, ▼ worse than zero-shot and middle, each of them" in told


@pytest.mark.parametrize(
    "words",
    [
        ("meta", "--baseline", "zero-shot", "--baseline", "middle"),
        ("board", "--metric", "AP", "--metric", "nDCG@10"),
        ("report", "results", "-m", "AP", "--metric", "nDCG@10"),
        ("curves", "--against", "a", "--against", "b"),
    ],
)
def test_an_option_that_counts_once_is_not_replaced_without_a_word(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert call(monkeypatch, *words) == 2
    assert "is given 2 times, and counts once" in capsys.readouterr().err


def test_latex_goes_to_standard_output(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "report", "results", "--latex", "-m", "RR@10", "--test", "maxt") == 0
    told = capsys.readouterr().out
    assert "harness report results --latex --metric RR@10 --test maxt" in told
    assert r"\toprule" in told
    assert call(monkeypatch, "report", "results", "--markdown", "--out", "to/here.md") == 0
    assert Path("to/here.md").read_text(encoding="utf-8").startswith("# semanlink")


def test_json_is_one_document(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "report", "results", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] is None
    assert told["tables"][0]["pairs"]["test"] == "t"
    assert not Path("report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "results", "--html", "--latex"], "--html and --latex at once"),
        (["report", "nowhere"], "no such folder of results"),
        (["report", "results", "--collection", "x"], "no published run of collection 'x'"),
        (["report", "results", "--test", "maxt", "--correction", "holm"], "covers the whole family"),
        (["export", "nowhere"], "no such run"),
    ],
)
def test_bad_input_is_one_message(
    arguments: list[str], words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_published_run_goes_out_and_in_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "export", str(folder), "--format", "ranx", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"file": "good.json", "run": "good", "queries": 60, "results": 1200}
    assert Run.read("good.json").scores == Run.read(folder).scores
    assert call(monkeypatch, "export", str(folder), "--metadata", "-o", "good.trec") == 0
    assert Path("good.trec").read_text(encoding="utf-8").startswith("# ir_metadata.start\n# schema-version: '0.1'\n")
    assert Run.read("good.trec") == Run.read(folder)


def test_judgments_go_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("q.txt").write_text("q1 0 d1 1\nq1 0 d2 0\n")
    assert call(monkeypatch, "export", "q.txt", "--qrels", "-o", "q.json") == 0
    assert json.loads(Path("q.json").read_text()) == {"q1": {"d1": 1, "d2": 0}}
