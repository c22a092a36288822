"""What is shown of one run, and of one query in several."""

from __future__ import annotations

import gzip
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.collections.parse import parse_source
from harness.collections.prepared import prepare
from harness.errors import UserError
from harness.leaderboard.inspect import query_rankings
from harness.leaderboard.inspect import run_details as details_module
from harness.leaderboard.inspect.query_rankings import local_collection, query_view, read_run
from harness.leaderboard.inspect.run_details import content, details
from harness.leaderboard.load_results import load_results
from harness.retrieval.run import Run
from tests.leaderboard.runs import make_card, make_run, put


def test_the_details_are_those_of_the_card(tmp_path: Path) -> None:
    card = make_card(
        "x",
        durations={"ranker": 2.0, "embed": 5.0},
        implementation={"executable": {"cmd": "harness sweep budget.yaml"}},
    )
    put(tmp_path, card, make_run(0.5))
    said = details(load_results(tmp_path).runs[0])
    assert [(one.stage, one.seconds) for one in said.stages] == [("embed", 5.0), ("ranker", 2.0)]
    assert said.command == "harness sweep budget.yaml"
    assert said.about["method"] == "zero-shot (baseline)"
    assert said.about["run"] == "x"
    assert "labels" not in said.about
    assert said.card.startswith("schema-version")


@pytest.mark.parametrize(
    ("source", "commit"),
    [
        ({"commit": "0123456789abcdef", "changed since": True}, "0123456789ab with changes"),
        ({"commit": "0123456789abcdef", "changed since": False}, "0123456789ab"),
    ],
)
def test_a_commit_that_was_not_clean_is_marked(tmp_path: Path, source: object, commit: str) -> None:
    put(tmp_path, make_card("x", implementation={"source": source}), make_run(0.5))
    assert details(load_results(tmp_path).runs[0]).about["made by"] == f"commit {commit}"


@pytest.mark.parametrize("said", ["rm -rf ~", "harness sweep a.yaml; rm -rf ~ `id` $(id)", "harness 'unclosed", None])
def test_a_command_of_strangers_runs_nothing_but_the_harness(tmp_path: Path, said: object) -> None:
    put(tmp_path, make_card("x", implementation={"executable": {"cmd": said}}), make_run(0.5))
    line = details(load_results(tmp_path).runs[0]).command
    seen = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert seen == shlex.split(line)
    assert seen[:2] == ["harness", "sweep"]


def test_files_are_handed_over_as_they_are_unless_too_large_or_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path, make_card("x"), make_run(0.5))
    (run,) = load_results(tmp_path).runs
    assert content(run, "run.trec.gz") == (folder / "run.trec.gz").read_bytes()
    monkeypatch.setattr(details_module, "LARGEST_DOWNLOAD", 10)
    with pytest.raises(UserError, match="larger"):
        content(run, "run.trec.gz")
    (folder / "run.trec.gz").unlink()
    (folder / "run.trec.gz").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="no ordinary file"):
        content(run, "run.trec.gz")


def test_a_run_that_unpacks_to_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, make_card("x"), make_run(0.5))
    (run,) = load_results(tmp_path).runs
    assert read_run(run).top("q000", 3) == Run.read(folder).top("q000", 3)
    monkeypatch.setattr(query_rankings, "LARGEST_RUN", 1 << 20)
    (folder / "run.trec.gz").write_bytes(gzip.compress(bytes(3 << 20)))
    with pytest.raises(UserError, match="unpacks to more than"):
        read_run(run)
    (folder / "run.trec.gz").write_bytes(gzip.compress(bytes(1 << 20))[:-9])
    with pytest.raises(UserError, match="no complete gzip file"):
        read_run(run)


def test_documents_are_in_the_order_of_their_best_place() -> None:
    runs = [Run("a", {"q": {"x": 3.0, "y": 2.0, "z": 1.0}}), Run("b", {"q": {"y": 9.0, "w": 8.0}}), Run("c", {})]
    found = query_view(runs, "q", depth=2)
    assert [(one.document, one.ranks) for one in found.documents] == [
        ("y", (2, 1, None)),
        ("x", (1, None, None)),
        ("w", (None, 2, None)),
    ]
    assert all(one.grade is None and one.text == "" for one in found.documents)
    assert [one.scores for one in found.documents] == [(2.0, 9.0, None), (3.0, None, None), (None, 8.0, None)]
    assert query_view(runs, "none").documents == ()


def _collection(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "{d}", "title": "", "text": "text of {d}"}}\n' for d in "xyz")
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "q", "text": "what is x", "metadata": {"answers": ["a letter", "the 24th"]}}\n'
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tz\t2\nq\tx\t1\n")
    return folder


def test_texts_and_grades_come_from_a_collection_of_the_same_content(tmp_path: Path) -> None:
    source = parse_source({"folder": str(_collection(tmp_path / "own"))})
    prepared = prepare(source, tmp_path / "workspace" / "collections")
    results = tmp_path / "results"
    put(results, make_card("here", content_hash=prepared.content_hash), make_run(0.5))
    put(results, make_card("elsewhere"), make_run(0.5))
    there, here = load_results(results).runs
    assert local_collection(there, prepared.folder.parent) is None
    assert local_collection(here, tmp_path / "nowhere") is None
    collection = local_collection(here, prepared.folder.parent)
    found = query_view([Run("a", {"q": {"x": 3.0, "unknown": 2.0}})], "q", collection=collection, split="test")
    assert (found.text, found.answers) == ("what is x", ("a letter", "the 24th"))
    assert [tuple(one)[:4] for one in found.documents] == [
        ("x", (1,), 1, "text of x"),
        ("unknown", (2,), None, ""),
        ("z", (None,), 2, "text of z"),
    ]
    shutil.rmtree(tmp_path / "workspace" / "collections")
    (tmp_path / "workspace" / "collections" / "broken").mkdir(parents=True)
    (tmp_path / "workspace" / "collections" / "broken" / "collection.json").write_text("{")
    assert local_collection(here, prepared.folder.parent) is None
