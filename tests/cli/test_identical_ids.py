"""Queries that are documents, and copies of a collection with its lines in another order, from sweep file to board."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.collections import beir
from harness.labelling.labels.label_files import read_rankings
from harness.published.result_folder import read_card
from harness.training_lists.training_list import read_lists
from tests.calling import call
from tests.collections.folders import write_folder

Capture = pytest.CaptureFixture[str]
WORDS = {"a": "cats purr and sleep", "b": "dogs bark at cats", "c": "ships sail the sea", "d": "sea winds and waves"}
TEXTS = {f"{topic}{n}": f"{text} {n} {'again' * n}" for topic, text in WORDS.items() for n in range(5)}
ROWS = [{"_id": name, "text": text} for name, text in TEXTS.items()]
QRELS = {
    "train": [(f"{topic}{n}", f"{topic}{n + 1}", 1) for topic in WORDS for n in (0, 2)],
    "test": [(f"{topic}4", f"{topic}{n}", n + 1) for topic in WORDS for n in (0, 1)],
}
TRAINED = """
students: {retriever: {static: "bundled:bert-tiny"}, ranker: "bundled:bert-tiny"}
candidates: {engine: bm25s, depth: 5, training_queries: [train]}
teachers: {judge: {kind: oracle}}
methods:
  - {method: intermediate, epochs: 1}
  - {method: direct, epochs: 1}
  - bm25
  - zero-shot
  - supervised
  - tas-b
  - random-training
budgets: [6]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "arguments", documents=ROWS, queries=ROWS, qrels=QRELS)
    return tmp_path


def sweep(monkeypatch: pytest.MonkeyPatch, capsys: Capture, collections: str, rest: str = "methods: [bm25]\n") -> Any:
    Path("sweep.yaml").write_text(f"collections: [{collections}]\n{rest}")
    code = call(monkeypatch, "sweep", "sweep.yaml", "--json")
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)


@pytest.mark.models
def test_no_stage_meets_a_querys_own_document(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    sweep(monkeypatch, capsys, "{folder: arguments, drop_identical: true, dev_share: 0}", TRAINED)
    rankings = [one for file in Path("workspace/store/labels").glob("*/rankings*") for one in read_rankings(file)]
    assert len(rankings) == 6 and all(len(one.ranked + one.unranked) == 5 for one in rankings)
    assert all(one.query not in (*one.ranked, *one.unranked) for one in rankings)
    lists = [one for file in Path("workspace/store").glob("*/*/lists.parquet") for one in read_lists(file.parent)]
    assert len(lists) > 20 and all(one.query not in (*one.documents, *one.positives) for one in lists)
    for folder in Path("results/arguments").iterdir():
        run = harness.load_run(folder)
        assert all(query not in found for query, found in run.scores.items())
        card = read_card(folder)
        assert card.collection.drop_identical and card.setup.get("drop_identical", False) == (card.resample is not None)
        assert call(monkeypatch, "verify", str(folder), "--qrels", "arguments/qrels/test.tsv") == 0


def test_runs_with_and_without_have_tables_of_their_own(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    answer = sweep(monkeypatch, capsys, "{folder: arguments, drop_identical: true}, {folder: arguments}")
    said = [line for line in answer["notices"] if "'test'" in line]
    assert len(said) == 2 and "whose id a document has, which is left out" in said[0] and "found" in said[1]
    board = harness.load_board("results")
    dropped, kept = sorted(board.tables, key=lambda table: not table.drop_identical)
    assert dropped.drop_identical and not kept.drop_identical and dropped.content_hash == kept.content_hash
    assert [note for note in dropped.notes if "left out, as BEIR does" in note]
    assert any("without identical ids" in flag for flag in dropped.rows[0].flags)
    values = [table.rows[0].metrics["nDCG@10"].mean for table in (dropped, kept)]
    assert values[0] > values[1] + 0.1
    runs = {read_card(folder).collection.drop_identical: folder for folder in Path("results/arguments").iterdir()}
    for option, value in (("--drop-identical", values[0]), ("--no-drop-identical", values[1])):
        arguments = ["evaluate", str(runs[False]), "--qrels", "arguments/qrels/test.tsv", option, "--json"]
        assert call(monkeypatch, *arguments) == 0
        assert json.loads(capsys.readouterr().out)["metrics"]["nDCG@10"] == pytest.approx(value)


def test_collections_of_beir_drop_by_themselves(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(here / "cache"))
    monkeypatch.setattr(beir, "_download", lambda url, folder: shutil.copytree("arguments", folder, dirs_exist_ok=True))
    sweep(monkeypatch, capsys, "beir/arguana, {beir: arguana, drop_identical: false}")
    folders = {read_card(one).collection.drop_identical: one for one in Path("results/beir-arguana").iterdir()}
    values = {drop: harness.load_result(one).card.outcome.metrics["nDCG@10"] for drop, one in folders.items()}
    assert values[True] > values[False] + 0.1
    for option, right in ([], values[True]), (["--no-drop-identical"], values[False]):
        arguments = ["evaluate", str(folders[False]), "--qrels", "beir/arguana:test", "--json", *option]
        assert call(monkeypatch, *arguments) == 0
        assert json.loads(capsys.readouterr().out)["metrics"]["nDCG@10"] == pytest.approx(right)
    assert call(monkeypatch, "verify", *map(str, folders.values())) == 0


def shuffled_copy(folder: Path) -> Path:
    """The same collection with the lines of every file in another order."""

    def mixed(rows: list[Any]) -> list[Any]:
        return random.Random(5).sample(rows, len(rows))

    qrels = {split: mixed(rows) for split, rows in QRELS.items()}
    return write_folder(folder, documents=mixed(ROWS), queries=mixed(ROWS), qrels=qrels)


@pytest.mark.models
def test_another_order_is_the_same_sweep(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    shuffled_copy(here / "other" / "arguments")
    first = sweep(monkeypatch, capsys, "{folder: arguments}", TRAINED)
    before = {file: file.read_bytes() for file in Path("results").rglob("run.trec.gz")}
    second = sweep(monkeypatch, capsys, "{folder: other/arguments}", TRAINED)
    assert first["stages"]["run"] > 10 and second["stages"]["run"] == 0
    assert {file: file.read_bytes() for file in Path("results").rglob("run.trec.gz")} == before


@pytest.mark.models
def test_another_order_in_another_workspace_shares_the_table(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    shuffled_copy(here / "other" / "arguments")
    untrained = TRAINED.splitlines()[1] + "\nmethods: [bm25, zero-shot]\n"
    for n, place in enumerate(("arguments", "other/arguments")):
        Path("sweep.yaml").write_text(f"collections: [{{folder: {place}}}]\n{untrained}")
        assert call(monkeypatch, "sweep", "sweep.yaml", "--workspace", f"workspace-{n}") == 0
    [table] = harness.load_board("results").tables
    assert len(table.rows) == 2 and all("content" not in flag for row in table.rows for flag in row.flags)
    for method in ("bm25", "zero-shot"):
        one, other = (harness.load_run(folder).scores for folder in Path("results/arguments").glob(f"{method}-*"))
        assert one == other


def test_another_split_beside_it_shares_table_and_stages(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    sweep(monkeypatch, capsys, "{folder: arguments}")
    more = {**QRELS, "later": [("a1", "a3", 1)]}
    write_folder(here / "more" / "arguments", documents=ROWS, queries=ROWS, qrels=more)
    assert sweep(monkeypatch, capsys, "{folder: more/arguments}")["stages"]["run"] == 0
    assert len(harness.load_board("results").tables) == 1


@pytest.mark.models
def test_copies_are_counted_on_the_card(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    doubled = [*ROWS, *({"_id": f"{row['_id']}-copy", "text": row["text"]} for row in ROWS[::2])]
    write_folder(here / "doubled", documents=doubled, queries=ROWS, qrels=QRELS)
    sweep(monkeypatch, capsys, "{folder: doubled, dev_share: 0}", TRAINED)
    cards = {card.method.name: card for card in map(read_card, Path("results/doubled").iterdir())}
    counted = cards["direct"].data.copies_left_out
    assert set(counted) == {"retriever"} and counted["retriever"].documents > 1
    assert set(cards["intermediate"].data.copies_left_out) >= {"retriever"}
    assert cards["bm25"].data.copies_left_out == {}
    assert any("with the text of another one" in line for line in cards["direct"].collection.warnings)
