"""A first sweep file fits the collection that it is for, and plans; examples are copied with what they extend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import harness
from harness.examples import describe_example, examples, with_parents
from harness.models import BUNDLED, Bundled
from tests.baselines.small import write_collection
from tests.calling import call

pytestmark = pytest.mark.models


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_collection(tmp_path / "data", answers=False)
    return tmp_path


def new(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    return call(monkeypatch, "new", "sweep", *words)


def test_it_plans_and_every_cell_is_of_the_collection(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert new(monkeypatch, "--collection", "data") == 0
    plan = harness.Workspace(own / "workspace").plan("sweep.yaml")
    assert {cell.cell.method.name for cell in plan.cells} == {
        "bm25",
        "zero-shot",
        "intermediate",
        "no-llm",
        "supervised",
    }
    assert plan.report()["llm"]["usd"] == 0.0
    assert yaml.safe_load((own / "sweep.yaml").read_text())["collections"] == [{"folder": "data"}]


def test_it_asks_only_for_what_the_collection_has(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "data" / "qrels" / "train.tsv").unlink()
    lines = [json.loads(line) for line in (own / "data" / "corpus.jsonl").read_text().splitlines()]
    (own / "data" / "corpus.jsonl").write_text("".join(json.dumps({**line, "title": ""}) + "\n" for line in lines))
    (own / "data" / "qrels" / "test.tsv").rename(own / "data" / "qrels" / "dev.tsv")
    assert new(monkeypatch, "first", "--collection", "data", "--dir", "sweeps") == 0
    content = yaml.safe_load((own / "sweeps" / "first.yaml").read_text())
    assert content["collections"] == [{"folder": "../data"}]
    assert content["candidates"]["training_queries"] == ["sentences"] and content["evaluate"]["split"] == "dev"
    assert content["budgets"][0] <= 100 and "supervised" not in str(content["methods"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "what the sweep is about is not said"),
        (["--collection", "scifct"], "did you mean 'scifact'"),
        (["--collection", "nowhere/at/all"], "nowhere"),
        (["--example", "budgt"], "did you mean 'budget'"),
        (["--collection", "data", "--example", "budget"], "a collection or an example"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    words: list[str], told: str, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(monkeypatch, *words) == 2
    assert told in capsys.readouterr().err
    assert not list(own.glob("*.yaml"))


def test_nothing_is_overwritten_and_what_does_not_plan_is_not_left(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / "sweep.yaml").write_text("mine")
    assert new(monkeypatch, "--collection", "data") == 2
    assert (own / "sweep.yaml").read_text() == "mine" and "is there already" in capsys.readouterr().err
    monkeypatch.setitem(BUNDLED, "minilm-l6", Bundled("no_such_package", "no-such-package", "model"))
    assert new(monkeypatch, "other", "--collection", "data") == 2
    assert not (own / "other.yaml").exists() and "run: harness setup" in capsys.readouterr().err


def test_examples_are_listed_shown_and_copied_with_what_they_extend(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "list", "examples", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} == set(examples()) and all(row["summary"] for row in rows)
    assert describe_example("smoke")["text"] == examples()["smoke"].read_text()
    assert new(monkeypatch, "--example", "minilm", "--dir", "copies") == 0
    copies = {file.name for file in (own / "copies").iterdir()}
    assert copies == {file.name for file in with_parents(examples()["minilm"])} == {"minilm.yaml", "semanlink.yaml"}
    assert new(monkeypatch, "--example", "minilm", "--dir", "copies") == 2


def test_a_plug_in_still_needs_a_name(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "new", "baseline") == 2
    assert "the baseline has no name" in capsys.readouterr().err
