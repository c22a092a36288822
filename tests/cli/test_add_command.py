"""``harness add`` as it is typed: runs of other systems onto the board, and what is refused."""

from __future__ import annotations

import bz2
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.retrieval.run import Run
from tests.calling import call
from tests.collections.folders import write_folder

QUERIES = [f"q{number}" for number in range(6)]
DOCUMENTS = [f"d{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_folder(
        tmp_path / "mine",
        documents=[{"_id": one, "text": f"text of {one}"} for one in DOCUMENTS],
        queries=[{"_id": one, "text": f"text of {one}"} for one in QUERIES],
        qrels={"test": [(query, f"d{number}", 1) for number, query in enumerate(QUERIES)]},
    )
    return tmp_path


def system(name: str, shift: int = 0, **further: dict[str, float]) -> Run:
    """Finds the right document at rank 1 + `shift`."""
    scores = {
        query: {DOCUMENTS[(number - shift + rank) % 8]: 10.0 - rank for rank in range(5)}
        for number, query in enumerate(QUERIES)
    }
    return Run(name, scores | further)


def added(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert call(monkeypatch, "add", *words, "--collection", "mine", "--json") == 0
    return json.loads(capsys.readouterr().out)


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert call(monkeypatch, "add", *words) == 2
    return capsys.readouterr().err


def test_a_run_becomes_a_verified_row(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    system("colbert").write("colbert.trec")
    told = ["--sees", "gold labels", "--sees", "order", "--budget", "300", "--teacher", "gpt", "--usd", "1.5"]
    found = added(monkeypatch, capsys, "colbert.trec", *told, "--url", "https://example.org/colbert")
    (one,), (row,) = found["added"], found["board"]["rows"]
    assert (one["state"], one["missing"], one["unknown_queries"], one["unknown_documents"]) == ("added", 0, 0, 0)
    assert (row["method"], row["category"], row["mark"], row["budget"]) == ("colbert", "external", "as published", 300)
    assert row["sees"] == ["gold labels", "order"] and row["teacher"] == "gpt" and row["cost"]["usd"] == 1.5
    assert row["metrics"]["nDCG@10"]["mean"] == 1.0 and "price not known" not in row["flags"]
    folder = Path(one["folder"])
    assert {path.name for path in folder.iterdir()} == {"run.trec.gz", "card.yaml", "metrics.parquet"}
    card = yaml.safe_load((folder / "card.yaml").read_text())
    assert card["implementation"]["source"]["repository"] == "https://example.org/colbert"
    assert call(monkeypatch, "verify", str(folder)) == 0


def test_the_board_is_printed_and_the_same_run_is_no_second_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    system("colbert").write("colbert.trec.gz")
    for state in ("added", "already there"):
        assert call(monkeypatch, "add", "colbert.trec.gz", "--collection", "mine") == 0
        said = capsys.readouterr()
        assert "colbert  external" in said.out and said.err.startswith(f"{state}: colbert in results/mine/colbert-")
    before = {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}
    Path("copy.trec").write_bytes(Path("colbert.trec.gz").read_bytes())
    found = added(monkeypatch, capsys, "copy.trec", "colbert.trec.gz", "--name", "other", "--name", "third")
    assert [one["state"] for one in found["added"]] == ["already there"] * 2 and len(found["board"]["rows"]) == 1
    assert {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()} == before
    found = added(monkeypatch, capsys, "colbert.trec.gz", "--usd", "2", "--teacher", "gpt")
    assert found["added"][0]["state"] == "renewed" and found["board"]["rows"][0]["cost"]["usd"] == 2
    assert added(monkeypatch, capsys, "colbert.trec.gz")["board"]["rows"][0]["cost"]["usd"] == 2


def test_runs_are_read_in_any_form(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for shift, (name, pack) in enumerate([("plain.trec", bytes), ("b.bz2", bz2.compress), ("x.xz", lzma.compress)]):
        system(name.partition(".")[0], shift).write("written.trec")
        Path(name).write_bytes(pack(Path("written.trec").read_bytes()))
    Path("ranx.json").write_text(json.dumps(system("", 3).scores))
    ranking = "".join(f"{query}\t{DOCUMENTS[rank]}\t{rank + 1}\n" for query in QUERIES for rank in range(5))
    Path("marco.tsv").write_text(ranking)
    files = ["plain.trec", "b.bz2", "x.xz", "ranx.json", "marco.tsv"]
    found = added(monkeypatch, capsys, *files)
    assert {row["method"] for row in found["board"]["rows"]} == {"plain", "b", "x", "ranx", "marco"}


def test_runs_of_one_name_are_called_after_their_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for shift, name in enumerate(["one.trec", "two.trec", "deep/two.trec"]):
        Path(name).parent.mkdir(exist_ok=True)
        system("run", shift).write(name)
    found = added(monkeypatch, capsys, "one.trec", "two.trec")
    assert [one["name"] for one in found["added"]] == ["one", "two"]
    found = added(monkeypatch, capsys, "two.trec", "deep/two.trec", "--results", "again")
    assert [one["name"].endswith("-two") for one in found["added"]] == [True, True] and len(found["board"]["rows"]) == 2


def test_what_the_collection_does_not_have_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = system("wide", 0, other={"d1": 1.0, "nowhere": 0.5}, q0={"d0": 2.0, "gone": 1.0})
    Run("wide", {query: found for query, found in run.scores.items() if query != "q5"}).write("wide.trec")
    (one,) = added(monkeypatch, capsys, "wide.trec")["added"]
    assert (one["missing"], one["unknown_queries"], one["unknown_documents"]) == (1, 1, 2)
    assert call(monkeypatch, "add", "wide.trec", "--collection", "mine") == 0
    said = "1 query of the split missing; 1 query that the split does not have; 2 documents that the collection does"
    assert said in capsys.readouterr().err


def test_runs_that_cannot_be_added_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, where = system("good"), ["--collection", "mine"]
    good.write("good.trec")
    Run("q", {"other": {"d1": 1.0}}).write("queries.trec")
    Run("d", {"q1": {"elsewhere": 1.0}}).write("documents.trec")
    assert "no query in common" in refused(monkeypatch, capsys, "good.trec", "queries.trec", *where)
    assert "no document of 'mine'" in refused(monkeypatch, capsys, "good.trec", "documents.trec", *where)
    assert "there is no such run" in refused(monkeypatch, capsys, "good.trec", "nowhere.trec", *where)
    assert "2 names for 1 run" in refused(monkeypatch, capsys, "good.trec", *where, "--name", "a", "--name", "b")
    assert "no kind of a row" in refused(monkeypatch, capsys, "good.trec", *where, "--kind", "externl")
    assert "has no split 'dev'" in refused(monkeypatch, capsys, "good.trec", *where, "--split", "dev")
    assert "unknown metric" in refused(monkeypatch, capsys, "good.trec", *where, "-m", "nDGC@10")
    assert "unknown collection" in refused(monkeypatch, capsys, "good.trec", "--collection", "scifct")
    assert not list(Path().glob("results/*/*"))


def test_two_systems_need_two_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    system("colbert").write("first.trec")
    system("colbert", 2).write("second.trec")
    before = added(monkeypatch, capsys, "first.trec")["board"]["rows"]
    said = refused(monkeypatch, capsys, "second.trec", "--collection", "mine")
    assert "there is another run of 'colbert' on the board: results/mine/colbert-" in said and "--name" in said
    assert added(monkeypatch, capsys, "first.trec")["board"]["rows"] == before
    found = added(monkeypatch, capsys, "second.trec", "--name", "colbert 2")
    assert {row["method"] for row in found["board"]["rows"]} == {"colbert", "colbert 2"}


def test_rows_on_one_collection_have_the_same_metrics(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    system("a").write("a.trec")
    system("b", 1).write("b.trec")
    added(monkeypatch, capsys, "a.trec", "-m", "RR@5", "-m", "P@1")
    found = added(monkeypatch, capsys, "b.trec")
    assert [list(row["metrics"]) for row in found["board"]["rows"]] == [["RR@5", "P@1"]] * 2
    assert all("declared but not published" not in " ".join(row["flags"]) for row in found["board"]["rows"])


@pytest.mark.parametrize("spec", ["mine", "{folder: mine, name: mine}", "folder/mine"])
def test_a_folder_is_named_in_any_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spec: str
) -> None:
    system("a").write("a.trec")
    assert call(monkeypatch, "add", "a.trec", "--collection", spec, "--json") == 0
    assert json.loads(capsys.readouterr().out)["added"][0]["folder"].startswith("results/mine/a-")
