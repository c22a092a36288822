"""Queries that are documents: what leaves what is found, learnt and scored, and that nothing else does."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from harness.collections.own_documents import drops_identical, plain_queries
from harness.collections.parse import parse_source
from harness.collections.pool import training_pool
from tests.collections.folders import Load, MakeFolder

TEXTS = {"a1": "cats are better", "a2": "cats are worse", "a3": "dogs bark", "a4": "dogs are silent"}
ARGUMENTS: dict[str, Any] = {
    "documents": [{"_id": name, "text": text} for name, text in TEXTS.items()],
    "queries": [*({"_id": name, "text": text} for name, text in TEXTS.items()), {"_id": "q", "text": "birds"}],
    "qrels": {"train": [("a2", "a1", 1), ("a2", "a2", 1)], "dev": [("q", "a4", 1)], "test": [("a1", "a2", 1)]},
}


@pytest.fixture
def arguments(make_folder: MakeFolder) -> dict[str, Any]:
    return {"folder": str(make_folder("arguments", **ARGUMENTS))}


def test_splits_whose_queries_are_documents_are_marked(arguments: dict[str, Any], load: Load) -> None:
    plain, dropping = load(arguments), load({**arguments, "drop_identical": True})
    assert dropping.folder == plain.folder, "what is stored is the same"
    assert dropping.split_hash("test") == plain.split_hash("test") and dropping.content_hash == plain.content_hash
    for split, differs in {"train": True, "dev": False, "test": True}.items():
        assert dropping.judgments(split).drop_identical == differs == drops_identical(dropping.queries(split))
        assert (dropping.judgments(split).identity != plain.judgments(split).identity) == differs
        assert (dropping.queries(split).identity != plain.queries(split).identity) == differs
        assert plain_queries(dropping.queries(split)).identity == plain.queries(split).identity
        assert dropping.judgments(split).qrels == plain.judgments(split).qrels, "BEIR leaves judgments as they are"
    assert dropping.drop_identical and not plain.drop_identical
    again = pickle.loads(pickle.dumps(dropping))
    assert again.drop_identical and again.queries("test").identity == dropping.queries("test").identity
    assert list(again.queries("test").ids) == ["a1"] == list(pickle.loads(pickle.dumps(dropping.queries("test"))).ids)


def test_the_report_says_what_is_left_out(arguments: dict[str, Any], load: Load) -> None:
    plain, dropping = load(arguments).report, load({**arguments, "drop_identical": True}).report
    assert [line for line in plain.faults() if "test" in line] == [
        "1 queries of 'test' that are documents of the collection too (kept, and found): a1"
    ]
    assert any(line.endswith("a1; drop_identical: true leaves them out, as BEIR does") for line in plain.notices())
    said = "queries of 'test' whose id a document has, which is left out for them, as BEIR does: a1"
    assert f"1 {said}" in dropping.notices() and not any("test" in line for line in dropping.faults())
    assert dropping.faults() == ("1 of them in 'train' are judged to be answered by that document",)


def test_ids_that_no_document_has_change_no_key(make_folder: MakeFolder, load: Load) -> None:
    folder = str(make_folder())
    plain, dropping = load({"folder": folder}), load({"folder": folder, "drop_identical": True})
    assert training_pool(dropping).key == training_pool(plain).key
    assert dropping.queries("test").identity == plain.queries("test").identity
    assert dropping.report == plain.report and not dropping.drop_identical


def test_training_queries_lose_their_own_document_as_gold(arguments: dict[str, Any], load: Load) -> None:
    plain = training_pool(load(arguments), ("train",))
    dropping = training_pool(load({**arguments, "drop_identical": True}), ("train",))
    assert [query.gold for query in plain.rows()] == [{"a1": 1, "a2": 1}]
    assert [query.gold for query in dropping.rows()] == [{"a1": 1}]
    assert plain.key != dropping.key and drops_identical(dropping) and not drops_identical(plain)


def test_only_what_reads_queries_of_such_a_split_has_a_new_key(make_folder: MakeFolder, load: Load) -> None:
    qrels = {"train": [("q", "a4", 1)], "test": [("a1", "a2", 1)]}
    folder = str(make_folder("tests", **{**ARGUMENTS, "qrels": qrels}))
    plain, dropping = (load({"folder": folder, "drop_identical": drop, "dev_share": 0}) for drop in (False, True))
    assert training_pool(dropping).key == training_pool(plain).key, "the pool holds no query that is a document"
    assert dropping.judgments("test") != plain.judgments("test")


@pytest.mark.parametrize(
    ("spec", "drops"),
    [
        ("beir/arguana", True),
        ({"beir": "quora", "drop_identical": False}, False),
        ("irds:beir/arguana", True),
        ("irds:vaswani", False),
        ({"folder": "x"}, False),
        ({"folder": "x", "drop_identical": True}, True),
        ("scifact", False),
    ],
)
def test_what_sources_do_by_default(spec: Any, drops: bool) -> None:
    source = parse_source(spec, Path())
    wanted = source.settings.drop_identical
    assert (source.drops_identical if wanted is None else wanted) == drops
