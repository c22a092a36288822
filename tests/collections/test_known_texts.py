"""The content hash is of the documents as a set, and of the queries and judgments of one split; a workspace has one
order of a content."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections import prepared
from harness.collections.collection import CollectionSource, Document
from harness.collections.import_report import Findings
from harness.collections.parse import parse_source
from harness.collections.pool import training_pool
from harness.collections.texts_writer import write_texts
from harness.plugins import plugins
from tests.collections.folders import DOCUMENTS, QRELS, QUERIES, Load, MakeFolder

MANY = [{"_id": f"d{k}", "title": f"Title of number {k}", "text": f"some words {k}"} for k in range(30)]


def shuffled(rows: list[Any]) -> list[Any]:
    return random.Random(3).sample(rows, len(rows))


@pytest.fixture
def two(make_folder: MakeFolder) -> tuple[Path, Path]:
    """A collection, and a copy with all its lines in another order."""
    qrels = {split: shuffled(rows) for split, rows in QRELS.items()}
    first = make_folder("first", documents=MANY)
    return first, make_folder("second", documents=shuffled(MANY), queries=shuffled(QUERIES), qrels=qrels)


def test_another_order_of_lines_is_the_same_collection(two: tuple[Path, Path], load: Load) -> None:
    first, second = load(two[0]), load(two[1])
    apart = load(two[1], home="another")
    assert list(apart.corpus.ids) != list(first.corpus.ids), "alone, a folder is read as it lies there"
    for split in first.splits:
        assert first.split_hash(split) == second.split_hash(split) == apart.split_hash(split)
    assert list(second.corpus.ids) == list(first.corpus.ids)
    assert second.content_hash == first.content_hash
    assert training_pool(second).key == training_pool(first).key
    text = (second.folder / "corpus" / "texts.arrow").stat()
    assert text.st_ino == (first.folder / "corpus" / "texts.arrow").stat().st_ino, "on the disk once"
    assert second.corpus.texts(["d7"]) == first.corpus.texts(["d7"]) and second.corpus.rows(["d7"]) == [7]


def test_another_split_beside_it_is_the_same_collection(make_folder: MakeFolder, load: Load) -> None:
    first = load(make_folder("first"))
    more = load(make_folder("more", qrels={**QRELS, "extra": [("q1", "d3", 1)]}))
    assert more.content_hash != first.content_hash
    assert more.split_hash("test") == first.split_hash("test") != first.split_hash("dev")
    assert more.queries("test").identity == first.queries("test").identity


@pytest.mark.parametrize(
    "changes",
    [
        {"documents": [*DOCUMENTS[:2], {**DOCUMENTS[2], "text": "x"}]},
        {"documents": [*DOCUMENTS, {"_id": "d4", "text": "x"}]},
        {"documents": [{**DOCUMENTS[0], "_id": "d3"}, DOCUMENTS[1], {**DOCUMENTS[2], "_id": "d1"}]},
        {"queries": [QUERIES[0], {"_id": "q2", "text": "other"}, QUERIES[2]]},
        {"queries": [QUERIES[0], {**QUERIES[1], "metadata": {"answers": ["yes"]}}, QUERIES[2]]},
        {"qrels": {**QRELS, "test": [("q2", "d2", 2), ("q2", "d1", 0)]}},
    ],
)
def test_any_other_content_is_another(make_folder: MakeFolder, load: Load, changes: dict[str, Any]) -> None:
    other = load(make_folder("other", **changes))
    assert other.split_hash("test") != load(make_folder("data")).split_hash("test")


WORDS = st.text(st.characters(codec="utf-8"), max_size=5)
ROWS = st.lists(st.builds(Document, WORDS.filter(bool), WORDS, WORDS), max_size=6, unique_by=lambda row: row.id)


@given(one=ROWS, other=ROWS)
def test_content_is_that_of_a_set(
    tmp_path_factory: pytest.TempPathFactory, one: list[Document], other: list[Document]
) -> None:
    home = tmp_path_factory.mktemp("texts")
    first, second, back = (
        write_texts(home / name, rows, "document", Findings(name)).content
        for name, rows in (("a", one), ("b", other), ("c", one[::-1]))
    )
    assert first == back and (first == second) == (set(one) == set(other))


def test_sources_with_an_order_of_their_own_keep_it(load: Load, make_folder: MakeFolder) -> None:
    source = parse_source("scifact")
    rows = [{"_id": one.id, "title": one.title, "text": one.text} for one in source.documents()]
    queries = [{"_id": one.id, "text": one.text} for one in source.queries()]
    tests = list(source.judgments()["test"])
    folder = make_folder("copy", documents=shuffled(rows), queries=queries, qrels={"test": tests})
    copy, bundled = load(folder), load("scifact")
    assert copy.split_hash("test") == bundled.split_hash("test") and copy.corpus.identity != bundled.corpus.identity
    assert bundled.corpus.identity == load("scifact", home="alone").corpus.identity


@pytest.mark.models
def test_sources_with_published_results_know_both_hashes(load: Load) -> None:
    known = {name: source for name, source in plugins(CollectionSource).items() if source.split_hashes}
    assert set(known) == {"scifact", "semanlink"}
    for name, source in known.items():
        collection = load(name)
        assert source.former_hash == collection.content_hash
        assert dict(source.split_hashes) == {split: collection.split_hash(split) for split in source.split_hashes}


def test_what_an_earlier_version_prepared_is_looked_at_again(
    make_folder: MakeFolder, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = {"test": [("q2", "d2", 1), ("q2", "d9", 1)]}
    folder = make_folder(documents=[*DOCUMENTS, {**DOCUMENTS[1], "_id": "d4"}], qrels=faulty)
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "FORMAT", 1)
        before = load(folder)
    facts = json.loads((before.folder / "collection.json").read_text())
    former = {key: facts[key] for key in ("splits", "content_hash")} | {"report": []}
    former["corpus"] = {key: facts["corpus"][key] for key in ("size", "identity")}
    former["splits"] = {
        name: {key: split[key] for key in ("folder", "size", "queries", "answers", "judgments")}
        for name, split in facts["splits"].items()
    }
    (before.folder / "collection.json").write_text(json.dumps(former))
    old, now = prepared.PreparedCollection(before.folder, "data"), load(folder)
    assert len(old.report) == 0 and old.split_hash("test") == now.content_hash
    assert "1 judgments in 'test' of documents that the collection does not have (kept): q2 d9" in now.report.faults()
    assert "1 documents with the text of another one (kept): d4" in now.report.faults()
    assert now.content_hash == before.content_hash and now.corpus.identity == before.corpus.identity
    assert now.corpus.rows(["d4"]) == [3] and parse_source({"folder": str(folder)}).keeps_order is False
